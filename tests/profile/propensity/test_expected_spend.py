"""Expected spend: its parts by hand, and which calibration is chosen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.profile.probing.targets import Target
from omniretail.profile.propensity.expected_spend import credibility, own_rate, spend_forecast, two_parts
from omniretail.profile.propensity.three_windows import Snapshot, ThreeWindows
from omniretail.views.fold import training_view
from omniretail.views.train import Train
from tests.conftest import tables_of
from tests.profile.probing.factories import CUTOFF, SPLIT

DAY_S = 86400


def train_of(lines: list[tuple[str, int, float]]) -> Train:
    """Customer, days before the cutoff, and amount of each event; one of a stranger after it."""
    events = pd.DataFrame(lines, columns=["user_id", "age", "value"])
    events["timestamp"] = CUTOFF - pd.to_timedelta(events.pop("age"), unit="D")
    events = events.assign(item_id=1, basket_id=range(len(events)), event_type="purchase", channel="offline")
    later = events.iloc[:1].assign(user_id="later", timestamp=CUTOFF, basket_id=-1)
    tables = tables_of(pd.concat([events, later]))
    return training_view(tables, SPLIT.cutoff(tables.events, "test"))


def rate(lines: list[tuple[str, int, float]]) -> list[float]:
    return own_rate(Snapshot(train_of(lines), np.zeros(0), {}), 28 * DAY_S).tolist()


def test_own_rate_is_the_mean_of_the_last_three_windows():
    assert rate([("a", 90, 100.0), ("a", 84, 6.0), ("a", 30, 2.0), ("a", 1, 1.0)]) == [3.0]


def test_own_rate_of_the_young_is_per_window_they_were_there_and_at_least_one():
    assert rate([("a", 56, 6.0), ("a", 1, 4.0), ("b", 7, 9.0)]) == [5.0, 9.0]


def test_own_rate_takes_unknown_amounts_and_returns_for_nought_at_most():
    assert rate([("a", 100, 5.0), ("b", 20, np.nan), ("c", 10, 3.0), ("c", 9, -8.0)]) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("paid", "weight"), [([0.0, 2.0], 1.0), ([1.0, 1.0], 0.0), ([0.7, 1.3], 0.3), ([-3.0, 5.0], 1.0), ([2.0, 0.0], 0.0)]
)
def test_credibility_is_the_best_weight_between_nought_and_one(paid: list[float], weight: float):
    assert credibility(np.ones(2), np.array([0.0, 2.0]), np.array(paid)) == pytest.approx(weight)


def test_credibility_where_both_say_the_same():
    assert credibility(np.ones(3), np.ones(3), np.arange(3.0)) == 0.0


def test_two_parts_are_right_in_the_mean_where_everybody_pays():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    paid = np.exp(x[:, 0] + rng.normal(size=200))
    said = two_parts(x, paid, x, n_seeds=2)
    assert said.sum() == pytest.approx(paid.sum())
    assert np.corrcoef(np.log(said), x[:, 0])[0, 1] > 0.8


def test_two_parts_multiply_chance_and_amount():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (2000, 2)).astype(float)  # the first says who comes, the second how much they pay
    paid = (rng.random(2000) < np.where(x[:, 0], 0.9, 0.2)) * np.where(x[:, 1], 50.0, 10.0)
    said = two_parts(x, paid, np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), n_seeds=1)
    assert said[1] / said[0] == pytest.approx(said[3] / said[2], rel=0.05)
    assert said[1] / said[0] == pytest.approx(5, rel=0.2)
    assert said[2] > 1.5 * said[0]
    assert two_parts(x, paid, x, n_seeds=1).sum() == pytest.approx(paid.sum(), rel=0.05)


@pytest.mark.parametrize(("paid", "expected"), [([0.0] * 4, 0.0), ([0.0, 8.0, 0.0, 0.0], 2.0)])
def test_two_parts_where_hardly_anybody_ever_paid(paid: list[float], expected: float):
    assert two_parts(np.zeros((4, 1)), np.array(paid), np.zeros((3, 1)), n_seeds=1).tolist() == [expected] * 3


def look(paid: np.ndarray, x: np.ndarray) -> Snapshot:
    """Customers of one event each, of unknown amount, so that their own rates are nought."""
    train = train_of([(f"{user:03}", 100, np.nan) for user in range(len(x))])
    return Snapshot(train, x[:, None], {"spend": Target("spend", "amount", ["paid"], paid[:, None], {})})


def made(later: np.ndarray, x: np.ndarray) -> ThreeWindows:
    """Amounts 10 to 20 in the window learned from, others in the later ones."""
    calibrate, serve = look(later, x), look(later, x)
    moved = replace(calibrate.train, at=calibrate.train.at - 28 * DAY_S)
    return ThreeWindows(look(10 + 10 * x, x), replace(calibrate, train=moved), serve, 0.0, 0.0)


def test_amounts_that_all_grew_are_scaled():
    rng = np.random.default_rng(0)
    x = rng.random(300)
    found = spend_forecast(made(3 * (10 + 10 * x) * rng.exponential(size=300), x), n_seeds=1)
    assert (found.method, found.credibility) == ("scale", 0.0)
    np.testing.assert_allclose(found.after, found.before * found.truth.sum() / found.before.sum())
    assert found.after.sum() == pytest.approx(found.truth.sum())


def test_amounts_that_became_a_step_are_stepped():
    x = np.random.default_rng(0).random(300)
    found = spend_forecast(made(np.where(x > 0.7, 90.0, 25.0), x), n_seeds=1)
    assert found.method == "isotonic"
    figures = found.figures().set_index("forecast")
    assert figures.rmse["after"] < 5 < 20 < figures.rmse["before"]


def test_figures_by_hand():
    x = np.linspace(0, 1, 40)
    spent = spend_forecast(made(10 + 10 * x, x), n_seeds=1)
    by_hand = replace(spent, before=np.array([1.0, 2.0]), after=np.array([2.0, 1.0]), own_rate=np.zeros(2))
    figures = replace(by_hand, truth=np.array([4.0, 6.0])).figures().set_index("forecast")
    assert figures.mae.tolist() == [3.5, 3.5, 5.0]
    assert figures.rmse["before"] == pytest.approx(np.sqrt((9 + 16) / 2))
    assert figures.spearman.tolist()[:2] == pytest.approx([1.0, -1.0])
    assert np.isnan(figures.spearman["own rate"]), "all alike"
    assert figures.predicted.tolist() == [3.0, 3.0, 0.0]
    assert figures.actual.tolist() == [10.0] * 3
