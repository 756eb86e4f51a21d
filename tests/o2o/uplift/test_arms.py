"""Several treatments: the simulator's two coupons, effects per arm, and policies valued by chance and by the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from omniretail.core.errors import DataError, SettingsError
from omniretail.dataset import Dataset
from omniretail.models.uplift.dr_learner import DRLearner
from omniretail.models.uplift.per_arm import PerArm
from omniretail.o2o.uplift.arms import UpliftArms, arms_of
from omniretail.o2o.uplift.evaluate import Uplift
from omniretail.o2o.uplift.experiment_rows import campaigns
from omniretail.o2o.uplift.policy import best_arms, policy_values
from omniretail.sources.protocol import load
from omniretail.sources.simulator.source import Simulate

SOURCE = Simulate(n_customers=1500, n_weeks=14, arms=2, seed=4)
FAST = DRLearner(HistGradientBoostingClassifier(max_iter=10, max_depth=2, random_state=1), n_splits=2)
LINEAR = DRLearner(LogisticRegression(), LinearRegression(), n_splits=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    cache = tmp_path_factory.mktemp("cache")
    return Dataset(load(SOURCE, cache), cache=cache)


def experiment_of_two_arms(n: int = 12_000) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Features, arm, outcome, and the effect of each arm, which one feature decides for both in opposite ways."""
    rng = np.random.default_rng(0)
    x = pd.DataFrame(
        {"side": rng.random(n)}, index=pd.MultiIndex.from_product([range(n), [1]]).set_names(["user_id", "offer_id"])
    )
    effect = np.column_stack([0.3 * x.side, 0.3 * (1 - x.side)])
    arm = rng.integers(0, 3, n)
    chance = 0.2 + np.where(arm > 0, effect[np.arange(n), np.maximum(arm, 1) - 1], 0)
    return x, arm, (rng.random(n) < chance).astype(int), effect


def test_effects_of_each_arm_are_recovered() -> None:
    x, arm, y, effect = experiment_of_two_arms()
    predicted = PerArm(LINEAR).fit(x, arm, y).predict(x)
    assert predicted.shape == effect.shape
    assert np.abs(predicted - effect).mean() < 0.03


def test_one_arm_is_the_learner_itself() -> None:
    x, arm, y, _ = experiment_of_two_arms(2000)
    rows = arm < 2
    one = PerArm(LINEAR).fit(x.loc[rows, :], arm[rows] == 1, y[rows]).predict(x)
    np.testing.assert_array_equal(one, LINEAR.fit(x.loc[rows, :], arm[rows] == 1, y[rows]).predict(x))


def test_inverse_propensity_is_right_on_average() -> None:
    _, arm, y, effect = experiment_of_two_arms()
    choice = best_arms(effect, margin=1.0, costs=[0.05, 0.1])
    value = policy_values(choice, arm, y, np.bincount(arm) / len(arm), 1.0, [0.05, 0.1])
    earned = 0.2 + np.concatenate([np.zeros((len(arm), 1)), effect - [0.05, 0.1]], axis=1)
    assert value.mean() == pytest.approx(earned[np.arange(len(arm)), choice].mean(), abs=0.02)
    assert earned[np.arange(len(arm)), choice].mean() == pytest.approx(earned.max(axis=1).mean())


def test_budgets_bind_each_arm() -> None:
    effect = np.array([[0.5, 0.4], [0.4, 0.1], [0.3, 0.29]])
    assert best_arms(effect, 1.0, [0.0, 0.0]).tolist() == [1, 1, 1]
    assert best_arms(effect, 1.0, [0.0, 0.0], budgets=[1, 1]).tolist() == [2, 1, 0]
    assert best_arms(effect, 1.0, [0.6, 0.6], budgets=[1, 1]).tolist() == [0, 0, 0], "no arm is worth its cost"


def test_the_second_coupon_is_an_offer_of_the_same_dates(data: Dataset) -> None:
    groups, world = arms_of(campaigns(data.tables)), SOURCE.world()
    n = len(world.starts)
    assert [group.offer_id.tolist() for group in groups] == [[each, each + n] for each in range(1, n + 1)]
    assert (world.effect(0, arm=2) >= world.effect(0, arm=1) - 1e-12).all()
    assert world.effect(0, arm=2).mean() > world.effect(0, arm=1).mean() + 0.02
    sent = data.tables.offer_events.to_pandas().query("event_type == 'sent'")  # type: ignore[union-attr]
    assert not sent.assign(campaign=(sent.offer_id - 1) % n).duplicated(["user_id", "campaign"]).any()


def test_the_policy_is_valued_by_chance_and_by_the_truth(data: Dataset) -> None:
    task = UpliftArms(costs=[0.02, 0.08], levels=(), truth=SOURCE)
    evaluation = task.evaluate(PerArm(FAST), data, "test")
    result = evaluation.result
    row = result.metrics.set_index("metric").loc["policy_value"]
    assert row.low < row.value < row.high
    assert row.low < result.value("true_policy_value") < row.high
    assert result.value("true_policy_value") <= result.value("true_best_value")
    assert sum(result.value(f"share_of_arm_{arm}") for arm in range(3)) == pytest.approx(1)
    assert result.per_unit.policy_value.mean() == pytest.approx(row.value)
    few = UpliftArms(costs=[0.0, 0.0], budgets=[0.1, 0.05], levels=()).evaluate(PerArm(FAST), data, "test").result
    assert few.value("share_of_arm_1") <= 0.1
    assert few.value("share_of_arm_2") <= 0.05


def test_what_does_not_fit_is_refused(data: Dataset, tmp_path: Path) -> None:
    one = Simulate(n_customers=300, n_weeks=14)
    with pytest.raises(
        DataError, match="campaigns have one arm only, no two offers having the same dates; set task=uplift"
    ):
        UpliftArms().evaluate(PerArm(), Dataset(load(one, tmp_path), cache=tmp_path), "test")
    with pytest.raises(DataError, match="campaigns of several arms; set task=uplift_arms"):
        Uplift().evaluate(PerArm(), data, "test")
    with pytest.raises(SettingsError, match=r"task\.costs=\[-1, 0\]: a cost must be 0 or more"):
        UpliftArms(costs=[-1, 0])
    with pytest.raises(SettingsError, match="2 arms take 2 costs: got 1"):
        UpliftArms(costs=[0.1], levels=()).evaluate(PerArm(FAST), data, "test")
    with pytest.raises(SettingsError, match=r"budgets=.* must be shares above 0"):
        UpliftArms(budgets=[0.0, 0.5])
    with pytest.raises(DataError, match=r"source\.arms=3 must be 1 or 2"):
        Simulate(arms=3)


def test_an_arm_of_few_customers_is_refused() -> None:
    x, arm, y, _ = experiment_of_two_arms(600)
    few = np.where((arm == 2) & (np.cumsum(arm == 2) > 7), 0, arm)
    with pytest.raises(
        SettingsError, match=r"arm 2 has 7 customers, and an effect takes 50: .* model\.min_customers=7"
    ):
        PerArm(LINEAR).fit(x, few, y)


@pytest.mark.parametrize(
    ("propensity", "who"),
    [([1.0, 0.0, 0.0], "no coupon has propensity 1"), ([0.5, 0.5, 0.0], "arm 2 has propensity 0")],
)
def test_propensities_of_zero_or_one_are_refused(propensity: list[float], who: str) -> None:
    with pytest.raises(SettingsError, match=who):
        policy_values(np.zeros(4, int), np.zeros(4, int), np.ones(4), np.array(propensity), 1.0, [0, 0])
