"""Expected spend: its parts by hand, and which calibration is chosen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.core.resources import Cost
from omniretail.profile.probing.targets import Target
from omniretail.profile.propensity.expected_spend import credibility, own_rate, spend_forecast, two_part_forecast
from omniretail.profile.propensity.three_windows import Snapshot, ThreeWindows
from omniretail.views.fold import training_view
from omniretail.views.train import Train
from tests.conftest import tables_of
from tests.profile.probing.factories import CUTOFF, SPLIT

DAY_S = 86400


def train_of(lines: list[tuple[str, int, float]]) -> Train:
    """Customer, days before the cutoff, and amount of each event; one of a new customer after it."""
    events = pd.DataFrame(lines, columns=["user_id", "age", "value"])
    events["timestamp"] = CUTOFF - pd.to_timedelta(events.pop("age"), unit="D")
    events = events.assign(item_id=1, basket_id=range(len(events)), event_type="purchase", channel="offline")
    later = events.iloc[:1].assign(user_id="later", timestamp=CUTOFF, basket_id=-1)
    tables = tables_of(pd.concat([events, later]))
    return training_view(tables, SPLIT.cutoff(tables.events, "test"))


def rate(lines: list[tuple[str, int, float]]) -> list[float]:
    return own_rate(Snapshot(train_of(lines), np.zeros(0), {}), 28 * DAY_S).tolist()


def test_own_rate_is_the_mean_of_the_last_three_windows() -> None:
    assert rate([("a", 90, 100.0), ("a", 84, 6.0), ("a", 30, 2.0), ("a", 1, 1.0)]) == [3.0]


def test_own_rate_of_new_customers_is_per_window_since_their_first_event_and_at_least_one() -> None:
    assert rate([("a", 56, 6.0), ("a", 1, 4.0), ("b", 7, 9.0)]) == [5.0, 9.0]


def test_own_rate_counts_unknown_amounts_and_returns_as_zero() -> None:
    assert rate([("a", 100, 5.0), ("b", 20, np.nan), ("c", 10, 3.0), ("c", 9, -8.0)]) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("spent", "weight"),
    [([0.0, 2.0], 1.0), ([1.0, 1.0], 0.0), ([0.7, 1.3], 0.3), ([-3.0, 5.0], 1.0), ([2.0, 0.0], 0.0)],
)
def test_credibility_is_the_best_weight_between_zero_and_one(spent: list[float], weight: float) -> None:
    assert credibility(np.ones(2), np.array([0.0, 2.0]), np.array(spent)) == pytest.approx(weight)


def test_credibility_where_both_predict_the_same() -> None:
    assert credibility(np.ones(3), np.ones(3), np.arange(3.0)) == 0.0


def test_two_parts_are_right_in_the_mean_where_everybody_buys() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    spent = np.exp(x[:, 0] + rng.normal(size=200))
    predicted = two_part_forecast(x, spent, x, n_seeds=2)
    assert predicted.sum() == pytest.approx(spent.sum())
    assert np.corrcoef(np.log(predicted), x[:, 0])[0, 1] > 0.8


def test_two_parts_multiply_probability_and_amount() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (2000, 2)).astype(float)  # the first decides who buys, the second how much
    spent = (rng.random(2000) < np.where(x[:, 0], 0.9, 0.2)) * np.where(x[:, 1], 50.0, 10.0)
    predicted = two_part_forecast(x, spent, np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), n_seeds=1)
    assert predicted[1] / predicted[0] == pytest.approx(predicted[3] / predicted[2], rel=0.05)
    assert predicted[1] / predicted[0] == pytest.approx(5, rel=0.2)
    assert predicted[2] > 1.5 * predicted[0]
    assert two_part_forecast(x, spent, x, n_seeds=1).sum() == pytest.approx(spent.sum(), rel=0.05)


@pytest.mark.parametrize(("spent", "expected"), [([0.0] * 4, 0.0), ([0.0, 8.0, 0.0, 0.0], 2.0)])
def test_two_parts_where_hardly_anybody_buys(spent: list[float], expected: float) -> None:
    assert two_part_forecast(np.zeros((4, 1)), np.array(spent), np.zeros((3, 1)), n_seeds=1).tolist() == [expected] * 3


def snapshot(spent: np.ndarray, x: np.ndarray) -> Snapshot:
    """Customers of one event each, of unknown amount, so that their own rates are zero."""
    train = train_of([(f"{user:03}", 100, np.nan) for user in range(len(x))])
    return Snapshot(train, x[:, None], {"spend": Target("spend", "amount", ["paid"], spent[:, None], {})})


def windows(later: np.ndarray, x: np.ndarray) -> ThreeWindows:
    """Amounts 10 to 20 in the learning window, others in the later ones."""
    calibration, test = snapshot(later, x), snapshot(later, x)
    earlier = replace(calibration.train, at=calibration.train.at - 28 * DAY_S)
    return ThreeWindows(snapshot(10 + 10 * x, x), replace(calibration, train=earlier), test, Cost(), Cost())


def test_amounts_that_all_grew_are_scaled() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(300)
    forecast = spend_forecast(windows(3 * (10 + 10 * x) * rng.exponential(size=300), x), n_seeds=1)
    assert (forecast.method, forecast.credibility) == ("scale", 0.0)
    np.testing.assert_allclose(forecast.after, forecast.before * forecast.truth.sum() / forecast.before.sum())
    assert forecast.after.sum() == pytest.approx(forecast.truth.sum())


def test_amounts_that_became_a_step_get_a_step_function() -> None:
    x = np.random.default_rng(0).random(300)
    forecast = spend_forecast(windows(np.where(x > 0.7, 90.0, 25.0), x), n_seeds=1)
    assert forecast.method == "isotonic"
    metrics = forecast.metrics()
    assert metrics.rmse["after"] < 5 < 20 < metrics.rmse["before"]


def test_metrics_by_hand() -> None:
    x = np.linspace(0, 1, 40)
    spent = spend_forecast(windows(10 + 10 * x, x), n_seeds=1)
    by_hand = replace(spent, before=np.array([1.0, 2.0]), after=np.array([2.0, 1.0]), own_rate=np.zeros(2))
    metrics = replace(by_hand, truth=np.array([4.0, 6.0])).metrics()
    assert metrics.mae.tolist() == [3.5, 3.5, 5.0]
    assert metrics.rmse["before"] == pytest.approx(np.sqrt((9 + 16) / 2))
    assert metrics.spearman.tolist()[:2] == pytest.approx([1.0, -1.0])
    assert np.isnan(metrics.spearman["own_rate"]), "all alike"
    assert metrics.predicted.tolist() == [3.0, 3.0, 0.0]
    assert metrics.actual.tolist() == [10.0] * 3
