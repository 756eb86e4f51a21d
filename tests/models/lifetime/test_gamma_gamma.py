import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from omniretail.models.lifetime import GammaGamma, NotConvergedError
from omniretail.models.lifetime.customers import spending
from omniretail.models.lifetime.gamma_gamma import _Likelihood
from tests.models.lifetime.conftest import published

_, SPENDING = published()


def spenders(*rows: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["frequency", "mean_value"])


SOME = spenders((1, 12.0), (2, 30.5), (10, 4.2))


def test_the_likelihood_against_numeric_integration():
    p, q, v = SPENDING.theta_

    def density(x, value):  # a mean of x Gamma(p, nu) is Gamma(px, nu x)
        given = lambda nu: gamma.pdf(value, p * x, scale=1 / (nu * x)) * gamma.pdf(nu, q, scale=1 / v)  # noqa: E731
        return quad(given, 0, 5, limit=500)[0]

    expected = [density(x, value) for x, value in SOME.itertuples(index=False)]
    assert np.exp(SPENDING.log_likelihood(SOME)) == pytest.approx(expected, rel=1e-6)


def test_the_slope_against_differences():
    likelihood = _Likelihood(*spending(SOME), weight=np.full(3, 1 / 3))
    at = np.array([2.0, 3.0, 15.0])
    differences = [(likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-6 for step in 1e-6 * np.eye(3)]
    assert likelihood(at)[1] == pytest.approx(differences, rel=1e-5)
    assert likelihood(at)[0] == pytest.approx(GammaGamma.of(*at).log_likelihood(SOME).mean())


def test_it_recovers_what_customers_were_simulated_with(crowd):
    found = GammaGamma().fit(crowd)
    assert found.parameters_ == pytest.approx(SPENDING.parameters_, rel=0.15)
    nobody = spenders((0, np.nan))
    assert found.expected_value(nobody) == pytest.approx(SPENDING.expected_value(nobody), rel=0.02)


def test_the_expected_value_lies_between_ones_own_and_the_populations():
    population = SPENDING.expected_value(spenders((0, np.nan)))[0]
    assert population == pytest.approx(6.25 * 15.44 / 2.74)
    once, often = SPENDING.expected_value(spenders((1, 100.0), (50, 100.0)))
    assert population < once < often < 100


def test_zero_and_negative_values_tell_nothing_and_foretell_little(crowd):
    odd = spenders((3, 0.0), (3, -8.0), (0, np.nan), (2, np.nan))
    few = crowd.head(3_000)
    plain, beside = GammaGamma().fit(few), GammaGamma().fit(pd.concat([few, odd]))
    assert beside.theta_ == pytest.approx(plain.theta_, rel=1e-6)
    zero, negative, newcomer, unknown = SPENDING.expected_value(odd)
    assert 0 < zero == negative < newcomer == unknown
    assert (SPENDING.log_likelihood(odd) == 0).all()


@pytest.mark.parametrize("customers", [spenders((0, np.nan)), spenders((2, 0.0), (1, -3.0))])
def test_nobody_who_spent(customers):
    with pytest.raises(ValueError, match="more than nothing"):
        GammaGamma().fit(customers)


@pytest.mark.parametrize("n", [1, 100], ids=["one", "all alike"])
def test_customers_who_do_not_differ(n):
    customers = spenders(*[(3, 20.0)] * n)
    with pytest.raises(NotConvergedError, match=r"no peak: .* or set a penalty"):
        GammaGamma().fit(customers)
    assert GammaGamma(penalty=0.1).fit(customers).expected_value(customers) == pytest.approx(np.full(n, 20.0), rel=0.3)


def test_a_population_without_a_mean():
    with pytest.raises(ValueError, match=r"q = 0\.90, so the population's mean value is infinite"):
        GammaGamma.of(p=2.0, q=0.9, v=10.0).expected_value(SOME)


@pytest.mark.data
def test_the_published_parameters(cdnow):
    assert (cdnow.mean_value > 0).sum() == 946
    assert GammaGamma().fit(cdnow).parameters_ == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.45}, abs=0.01)
