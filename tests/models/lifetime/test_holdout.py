import numpy as np
import pandas as pd
import pytest

from omniretail.models.lifetime import BGNBD, NotConvergedError, holdout_report, lifetime_value, naive_rates
from omniretail.models.lifetime.simulation import simulated
from omniretail.profile.lifetime import examine
from tests.models.lifetime.conftest import people, published


def test_by_hand():
    actual = pd.DataFrame({"purchases": [0, 1, 3]})
    report = holdout_report({"purchases": {"m": np.array([1.0, 1.5, 2.0]), "flat": np.ones(3)}}, actual)
    first, second = report.to_dict("records")
    assert first == pytest.approx(
        {
            "target": "purchases",
            "model": "m",
            "mae": 2.5 / 3,
            "rmse": np.sqrt(2.25 / 3),
            "spearman": 1.0,
            "predicted": 4.5,
            "actual": 4.0,
        }
    )
    assert np.isnan(second["spearman"])


def test_naive_rates_by_hand():
    customers = people((2, 5, 10), (0, 0, 10), (0, 0, 0), mean_value=7.0)
    rates = naive_rates(customers, horizon=5)
    assert rates["purchases"]["own rate"].tolist() == [1.0, 0.0, 0.0]
    assert rates["purchases"]["mean rate"].tolist() == [0.5, 0.5, 0.5]
    assert rates["value"]["own rate"].tolist() == [7.0, 0.0, 0.0]
    assert rates["value"]["mean rate"].tolist() == [3.5, 3.5, 3.5]


def test_lifetime_value_is_purchases_times_value_and_later_is_worth_less():
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
    """Customers over a past of 30 and a future, their purchases in which are counted one by one."""
    rng, (buying, spending) = np.random.default_rng(3), published()
    r, alpha, a, b = buying.parameters_
    whole = simulated(buying, spending, age=np.full(n, 30.0), rng=rng)
    alive = rng.random(n) < buying.p_alive(whole)
    rate = rng.gamma(r + whole.frequency, 1 / (alpha + whole.age))
    leaving = rng.beta(a, b + whole.frequency)
    until_gone = rng.geometric(leaving)
    bought = np.where(alive, np.minimum(rng.poisson(rate * horizon), until_gone), 0)
    customers = whole.assign(user_id=np.arange(n))
    value = bought * spending.expected_value(whole)
    return customers, pd.DataFrame({"user_id": np.arange(n), "purchases": bought, "value": value})[bought > 0]


def test_in_a_world_that_is_as_the_models_say_they_beat_the_rates():
    customers, bought = world()
    examined = examine(customers, bought, horizon=20.0)
    for target in ("purchases", "value"):
        report = examined.report[examined.report.target == target].set_index("model")
        ours, rates = report.iloc[0], report.iloc[1:]
        assert ours.predicted == pytest.approx(ours.actual, rel=0.08)
        assert (ours.rmse < rates.rmse).all()
        assert (ours.mae < rates.mae).all()
    assert examined.forecasts.columns.tolist() == ["user_id", "p_alive", "purchases", "value"]


def test_without_values_purchases_alone_are_judged():
    customers, bought = world(n=2_000)
    examined = examine(customers.assign(mean_value=np.nan), bought.assign(value=np.nan), horizon=20.0)
    assert examined.spending is None
    assert set(examined.report.target) == {"purchases"}


def test_where_there_is_no_peak_a_penalty_is_taken_and_said(caplog):
    customers = people(*[(5, 30, 39)] * 10).assign(user_id=range(10))
    bought = pd.DataFrame({"user_id": [3], "purchases": [2], "value": [20.0]})
    examined = examine(customers, bought, horizon=10.0)
    assert "BGNBD with a penalty of 0: the fit has no peak" in caplog.text
    assert "GammaGamma with a penalty of 0.001: the fit has no peak" in caplog.text
    assert isinstance(examined.buying, BGNBD)
    assert examined.report.actual.iloc[0] == 2
    with pytest.raises(NotConvergedError, match="without end"):
        examine(customers, bought, horizon=10.0, penalty=0.0)
