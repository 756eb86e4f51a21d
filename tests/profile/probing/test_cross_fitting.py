"""Cross-fitting: who trains which probe, who is scored by it, and which probes a question gets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from omniretail.profile.folds import stratified_folds
from omniretail.profile.probing.cross_fitting import cross_fit
from omniretail.profile.probing.lightgbm_probe import LightGBMProbe
from omniretail.profile.probing.linear_probes import LogisticProbe, RidgeProbe
from omniretail.profile.probing.metrics import score
from omniretail.profile.probing.probes import Probe, Probes
from omniretail.profile.probing.targets import Target

N = 200


def target(truth: np.ndarray, kind: str = "event", name: str = "churn") -> Target:
    return Target(name, kind, [f"class {n}" for n in range(truth.shape[1])], truth, {})  # type: ignore[arg-type]


class Memory:
    """Scores 1 for customers (the first number of x) that it was trained on, and counts them."""

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
        def predict(new: np.ndarray) -> np.ndarray:
            seen = np.isin(new[:, 0], x[:, 0]).astype(float)
            return np.stack([seen, np.full(len(new), len(x)), np.full(len(new), np.nanmax(x))], axis=1)

        return predict


@dataclass(frozen=True)
class Memories(Probes):
    def for_target(self, target: Target) -> dict[str, Probe]:
        return {"memory": Memory()}


def numbered() -> np.ndarray:
    return np.arange(float(N))[:, None]


def test_nobody_is_scored_by_a_probe_trained_on_them() -> None:
    labels = target(np.tile(np.eye(3), (67, 1))[:N])
    predictions = cross_fit(Memories(n_seeds=3), labels, labels, numbered(), numbered(), n_folds=4)
    scores = predictions.by_probe["memory"]
    assert scores.shape == (3, N, 3)
    assert scores[..., 0].sum() == 0
    assert set(scores[..., 1].ravel()) == {150}, "the other three folds"


def test_customers_without_a_past_or_a_label_train_no_probe() -> None:
    earlier, truth = numbered(), np.tile(np.eye(3), (67, 1))[:N]
    earlier[:50] = np.nan  # no events before the earlier cutoff
    learned = truth.copy()
    learned[50:100] = np.nan  # no label at the earlier cutoff
    evaluated = truth.copy()
    evaluated[150:] = np.nan  # no label at the later one
    predictions = cross_fit(Memories(n_seeds=1), target(learned), target(evaluated), earlier, numbered())
    assert predictions.rows.tolist() == list(range(150))
    assert len(predictions.truth) == 150
    scores = predictions.by_probe["memory"][0]
    assert scores[:, 0].sum() == 0
    assert scores[:, 1].min() >= 80
    assert scores[:, 1].max() <= 100, "100 to 149, less their folds, and 150 to 199, who are not scored"


def test_folds_are_balanced_within_each_stratum() -> None:
    stratum = np.array([2] * 7 + [0] * 10 + [1])
    folds = stratified_folds(stratum, 5, seed=3)
    for value in (0, 2):
        assert np.ptp(np.bincount(folds[stratum == value], minlength=5)) <= 1
    assert np.ptp(np.bincount(folds, minlength=5)) <= 1
    assert (folds != stratified_folds(stratum, 5, seed=4)).any()


def test_probes_are_linear_and_lightgbm_unless_there_are_many_classes() -> None:
    few, many = target(np.zeros((4, 2))), target(np.zeros((4, 3)))
    probes = Probes(lightgbm_max_classes=2)
    assert probes.for_target(few) == {"linear": LogisticProbe(), "trees": LightGBMProbe("binary")}
    assert probes.for_target(many) == {"linear": LogisticProbe()}
    assert Probes(lightgbm=False).for_target(few) == {"linear": LogisticProbe()}
    amount = Target("spend", "amount", ["paid"], np.zeros((4, 1)), {})
    assert probes.for_target(amount) == {"linear": RidgeProbe(), "trees": LightGBMProbe("regression")}


def test_what_an_embedding_contains_is_predicted_and_what_it_lacks_is_not() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    truth = np.stack([x[:, 0] > 0, rng.random(400) > 0.5], axis=1).astype(float)
    labels = target(truth)
    for scores in cross_fit(Probes(n_seeds=1), labels, labels, x, x).by_probe.values():
        assert score("event", truth[:, :1], scores[0][:, :1]) > 0.95
        assert abs(score("event", truth[:, 1:], scores[0][:, 1:]) - 0.5) < 0.1


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="Probes: n_seeds=0 must be 1 or more"):
        Probes(n_seeds=0)
