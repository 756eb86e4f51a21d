import numpy as np
import pandas as pd
import pytest

from omniretail.models.lifetime import (
    BGNBD,
    BGNBDGammaGamma,
    MeanRate,
    NotConvergedError,
    OwnRate,
    holdout_errors,
    lifetime_value,
)
from omniretail.models.lifetime.simulation import simulated
from tests.models.lifetime.conftest import people, published


def test_errors_by_hand() -> None:
    errors = holdout_errors(np.array([1.0, 1.5, 2.0]), np.array([0.0, 1.0, 3.0]))
    assert errors == pytest.approx(
        {"mae": 2.5 / 3, "rmse": np.sqrt(2.25 / 3), "spearman": 1.0, "predicted": 4.5, "actual": 4.0}
    )
    assert np.isnan(holdout_errors(np.ones(3), np.array([0.0, 1.0, 3.0]))["spearman"])
    assert np.isnan(holdout_errors(np.ones(1), np.zeros(1))["spearman"])


def test_the_two_rates_by_hand() -> None:
    customers = people((2, 5, 10), (0, 0, 10), (0, 0, 0), mean_value=7.0)
    own = OwnRate().fit(customers).predict(customers, horizon=5)
    assert own.purchases.tolist() == [1.0, 0.0, 0.0]
    assert own.value.tolist() == [7.0, 0.0, 0.0]
    mean = MeanRate().fit(customers)
    assert mean.predict(customers, horizon=5).purchases.tolist() == [0.5, 0.5, 0.5]
    assert mean.predict(customers, horizon=5).value.tolist() == [3.5, 3.5, 3.5]
    assert mean.parameters_ == {"rate": 0.1, "mean_value": 7.0}


def test_lifetime_value_is_purchases_times_value_and_later_is_worth_less() -> None:
    models, customers = published(), people((0, 0, 30), (4, 25, 30))
    plain = lifetime_value(*models, customers, horizon=52)
    expected = models[0].expected_purchases(customers, horizon=52) * models[1].expected_value(customers)
    assert plain == pytest.approx(expected)
    assert lifetime_value(*models, customers, horizon=52, margin=0.5) == pytest.approx(plain / 2)
    weekly = 1.1 ** (1 / 52) - 1
    discounted = lifetime_value(*models, customers, horizon=52, discount=weekly)
    assert (discounted < plain).all()
    assert (discounted > plain / 1.1).all()
    assert lifetime_value(*models, customers, horizon=2.5, discount=1e-12) == pytest.approx(
        lifetime_value(*models, customers, horizon=2.5)
    )


def world(n: int = 20_000, horizon: float = 20.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers over a past of 30, and what they do in the horizon after it, simulated purchase by purchase."""
    rng, (buying, spending) = np.random.default_rng(3), published()
    r, alpha, a, b = buying.theta_
    customers = simulated(buying, spending, age=np.full(n, 30.0), rng=rng)
    alive = rng.random(n) < buying.p_alive(customers)
    rate = rng.gamma(r + customers.frequency, 1 / (alpha + customers.age))
    until_left = rng.geometric(rng.beta(a, b + customers.frequency))
    purchases = np.where(alive, np.minimum(rng.poisson(rate * horizon), until_left), 0)
    value = purchases * spending.expected_value(customers)
    return customers, pd.DataFrame({"purchases": purchases, "value": value})


def test_where_customers_do_as_the_models_say_they_beat_the_rates() -> None:
    customers, actual = world()
    ours, *rates = (
        model.fit(customers).predict(customers, 20.0) for model in (BGNBDGammaGamma(), OwnRate(), MeanRate())
    )
    for target in ("purchases", "value"):
        errors = holdout_errors(ours[target].to_numpy(), actual[target].to_numpy())
        assert errors["predicted"] == pytest.approx(errors["actual"], rel=0.08)
        for rate in rates:
            others = holdout_errors(rate[target].to_numpy(), actual[target].to_numpy())
            assert errors["rmse"] < others["rmse"]
            assert errors["mae"] < others["mae"]
    assert ours.columns.tolist() == ["p_alive", "purchases", "value"]


def test_where_there_is_no_peak_a_penalty_is_taken_and_logged(caplog) -> None:
    customers = people(*[(5, 30, 39)] * 10)
    model = BGNBDGammaGamma().fit(customers)
    assert "BGNBD with a penalty of 0: the fit has no peak" in caplog.text
    assert "GammaGamma with a penalty of 0.001: the fit has no peak" in caplog.text
    assert isinstance(model.parts_["buying"], BGNBD)
    assert model.parameters_["buying_penalty"] > 0
    assert model.parameters_["spending_penalty"] == 0.1
    with pytest.raises(NotConvergedError, match="without end"):
        BGNBDGammaGamma(penalty=0.0).fit(customers)


@pytest.mark.data
def test_cdnow_as_published(cdnow) -> None:
    """Fader, Hardie and Lee (2005) and Fader and Hardie (2013), to the digits they give."""
    model = BGNBDGammaGamma().fit(cdnow)
    buying = {"r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258}
    spending = {"p": 6.25, "q": 3.74, "v": 15.45}
    for published_values, digits in ((buying, 2e-4), (spending, 0.01)):
        for name, value in published_values.items():
            assert value - digits < model.parameters_[name] < value + digits, name
    assert model.parameters_["buying_penalty"] == model.parameters_["spending_penalty"] == 0
