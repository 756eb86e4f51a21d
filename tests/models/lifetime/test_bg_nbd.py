import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta, gamma

from omniretail.models.lifetime import BGNBD, NotConvergedError
from omniretail.models.lifetime.bg_nbd import _integrated, _Likelihood, _while_alive
from omniretail.models.lifetime.customers import buying
from tests.models.lifetime.conftest import people, published

BUYING, _ = published()
SOME = people((0, 0, 39), (1, 3, 30), (2, 30.43, 38.86), (7, 29, 30), (0, 0, 0))


def direct_likelihood(r, alpha, a, b, x, t_x, age):
    """Of one customer: both what they are like and whether they left, integrated out numerically."""
    nodes, weights = np.polynomial.legendre.leggauss(600)
    p, rate = (nodes[:, None] + 1) / 2, (nodes + 1) * 10  # rates above 20 have a chance of 1e-24
    stayed = (1 - p) ** x * rate**x * np.exp(-rate * age)
    left = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * t_x) if x else 0.0
    density = (stayed + left) * beta.pdf(p, a, b) * gamma.pdf(rate, r, scale=1 / alpha)
    return weights @ density @ weights * 5


def direct_purchases(r, alpha, a, b, x, age, horizon):
    """Of a customer who is still there: the mean over chances of leaving, rates integrated out by hand."""

    def given(p):
        return -np.expm1(-(r + x) * np.log1p(p * horizon / (alpha + age))) / p * beta.pdf(p, a, b + x)

    return quad(given, 0, 1, limit=500)[0]


def test_the_likelihood_against_numeric_integration():
    parameters = {"r": 2.0, "alpha": 3.0, "a": 2.0, "b": 3.0}
    found = np.exp(BGNBD.of(**parameters).log_likelihood(SOME))
    expected = [direct_likelihood(**parameters, x=x, t_x=t, age=age) for x, t, age, _ in SOME.itertuples(index=False)]
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_slope_against_differences():
    likelihood = _Likelihood(*buying(SOME), weight=np.full(5, 0.2))
    at = np.array([0.7, 3.0, 1.2, 2.0])
    _, slope = likelihood(at)
    steps = 1e-6 * np.eye(4)
    differences = [(likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-6 for step in steps]
    assert slope == pytest.approx(differences, rel=1e-5)
    assert likelihood(at)[0] == pytest.approx(BGNBD.of(*at).log_likelihood(SOME).mean())


@pytest.mark.parametrize(
    "parameters",
    [(0.2426, 4.4135, 0.7929, 2.4258), (2, 10, 1, 3), (2, 10, 1 + 1e-7, 3), (2, 10, 50, 200), (5, 2, 0.9, 2000)],
)
@pytest.mark.parametrize(("x", "age", "horizon"), [(0, 38, 39), (5, 30, 39), (200, 52, 52), (0, 0, 39), (2, 30, 1e-3)])
def test_purchases_while_alive_against_numeric_integration(parameters, x, age, horizon):
    model = BGNBD.of(*parameters)
    customer = people((x, age if x else 0, age))
    expected = direct_purchases(*parameters, x=x, age=age, horizon=horizon) * model.p_alive(customer)
    assert model.expected_purchases(customer, horizon=horizon) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("parameters", [(0.2426, 4.4135, 0.7929, 2.4258), (5, 2, 500, 2000), (2, 3, 1e-3, 1e4)])
def test_where_the_closed_form_fails_integration_agrees_with_it(parameters):
    x, age = np.array([0.0, 3.0, 40.0]), np.array([10.0, 30.0, 60.0])
    closed = _while_alive(np.array(parameters), x, age, horizon=39)
    assert _integrated(np.array(parameters), x, age, horizon=39) == pytest.approx(closed, rel=1e-4)


@pytest.mark.parametrize("parameters", [(5, 2, 500, 2000), (5, 2, 1e-8, 1e-3), (5, 2, 0.5, 1e5), (0.01, 100, 2, 3)])
def test_large_numbers_stay_finite(parameters):
    customers = people((0, 0, 0), (0, 0, 39), (3, 10, 5000), (50_000, 499, 500), (5, 1e-6, 1e5))
    model = BGNBD.of(*parameters)
    for horizon in (0.01, 52, 1e5):
        found = model.expected_purchases(customers, horizon=horizon)
        alive = model.p_alive(customers)
        most = alive * (parameters[0] + customers.frequency) / (parameters[1] + customers.age) * horizon
        assert np.isfinite(found).all()
        assert (found >= -1e-4 * most).all()
        assert (found <= most * (1 + 1e-4)).all()
    assert ((alive >= 0) & (alive <= 1)).all()
    assert np.isfinite(model.log_likelihood(customers)).all()


def test_who_never_bought_again_is_there_and_who_stays_away_is_not():
    alive = BUYING.p_alive(people((0, 0, 39), (6, 38, 39), (6, 5, 39)))
    assert alive[0] == 1
    assert alive[1] > 0.85
    assert alive[2] < 0.01


def test_the_papers_customer():
    # x = 2, t_x = 30.43, T = 38.86: 1.226 purchases in 39 weeks, says the authors' spreadsheet
    assert BUYING.expected_purchases(people((2, 30.43, 38.86)), horizon=39) == pytest.approx(1.226, abs=1e-3)


def test_it_recovers_what_customers_were_simulated_with(crowd):
    found = BGNBD().fit(crowd).parameters_
    assert found == pytest.approx(BUYING.parameters_, rel=0.1)
    rate, leaving = found["r"] / found["alpha"], found["a"] / (found["a"] + found["b"])
    assert (rate, leaving) == pytest.approx((0.2426 / 4.4135, 0.7929 / (0.7929 + 2.4258)), rel=0.03)


def test_the_unit_of_time_changes_alpha_only(crowd):
    few = crowd.head(5_000)
    weeks = BGNBD().fit(few).parameters_
    days = BGNBD().fit(few.assign(recency=few.recency * 7, age=few.age * 7)).parameters_
    assert days == pytest.approx(weeks | {"alpha": 7 * weeks["alpha"]}, rel=1e-4)


def test_equal_rows_count_as_often_as_they_come(crowd):
    few = crowd.head(2_000).round(0).assign(recency=lambda df: df.recency.where(df.frequency == 0, df.recency + 1))
    few = few.assign(age=few.age + 1)
    once, twice = BGNBD(penalty=0.01).fit(few), BGNBD(penalty=0.01).fit(pd.concat([few, few]))
    assert once.theta_ == pytest.approx(twice.theta_, rel=1e-5)


def test_no_repeat_buyers():
    with pytest.raises(ValueError, match="none of 2 customers bought a second time"):
        BGNBD().fit(people((0, 0, 39), (0, 0, 20)))


@pytest.mark.parametrize("customers", [people((5, 30, 39)), people(*[(5, 30, 39)] * 100)], ids=["one", "all alike"])
def test_customers_who_do_not_differ(customers):
    with pytest.raises(NotConvergedError, match=r"no peak: .* without end.* or set a penalty"):
        BGNBD().fit(customers)
    held = BGNBD(penalty=0.01).fit(customers)
    assert np.isfinite(held.expected_purchases(customers, horizon=39)).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((-1, 0, 39), "frequency that is no whole number"),
        ((1.5, 3, 39), "frequency that is no whole number"),
        ((1, 40, 39), "recency below 0 or above the age"),
        ((0, 3, 39), "recency without a repeat purchase"),
        ((1, 0, 39), "repeat purchase at the time of the first"),
        ((1, np.nan, 39), "missing or infinite"),
    ],
)
def test_numbers_that_cannot_be(row, message):
    with pytest.raises(ValueError, match=rf"row 1 .*{message}.* \(1 in all\)"):
        BGNBD().fit(people((1, 3, 39), row))


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column 'recency'"):
        BGNBD().fit(SOME.drop(columns="recency"))


@pytest.mark.data
def test_the_published_parameters(cdnow):
    assert len(cdnow) == 2_357
    found = BGNBD().fit(cdnow)
    assert found.parameters_ == pytest.approx(BUYING.parameters_, abs=2e-4)
    assert found.log_likelihood(cdnow).sum() == pytest.approx(-9582.4, abs=0.1)
