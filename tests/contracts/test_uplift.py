"""What ``UpliftModel`` asks of a learner, held against every yaml of ``configs/model/uplift``."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from omniretail.models.saving import load, save
from omniretail.models.uplift.lightgbm_t_learner import LightGBMTLearner
from omniretail.sources.simulator.source import Simulate
from tests.conftest import ROOT, composed

NAMES = sorted(path.stem for path in (ROOT / "configs/model/uplift").glob("*.yaml"))
NO_EFFECT_LEARNED = {"random", "response"}
"""Baselines, by design."""
BY_PLACE = {"random"}
NOT_SAVED = {"random", "true_effect", "oracle_features", "noise_free"}
"""They learn nothing, or know the truth."""
SOURCE = Simulate(n_customers=4000, n_items=20, n_weeks=14, seed=5)

every_learner = pytest.mark.parametrize("name", NAMES)


@cache
def trial() -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """An experiment with the simulator's own customers: features, treated, acted, and the true effect.

    The effect is enlarged, so that a small sample shows it; it keeps its order.
    """
    world, rng = SOURCE.world(), np.random.default_rng(0)
    n, effect = SOURCE.n_customers, SOURCE.world().effect(0)
    treated = rng.random(n) < 0.5
    chance = np.clip(0.3 * world.chance(0, sent=False) + 3 * np.maximum(effect, 0) * treated, 0, 1)
    index = pd.MultiIndex.from_arrays([np.arange(1, n + 1), np.ones(n, int)], names=["user_id", "offer_id"])
    x = pd.DataFrame({"effect_shape": np.round(effect, 2), "rate": world.rate, "noise": rng.random(n)}, index=index)
    x.loc[x.noise < 0.05, "noise"] = 0.0
    return x, treated, (rng.random(n) < chance).astype(int), effect


def made(name: str) -> Any:
    overrides = ["source=simulate", "source.n_customers=4000", "source.n_items=20", "source.n_weeks=14"]
    return instantiate(composed(*overrides, "source.seed=5", f"model=uplift/{name}").model)


@cache
def fitted(name: str) -> Any:
    return made(name).fit(*trial()[:3])


@every_learner
def test_scores_are_finite_one_for_each_row(name: str) -> None:
    x, *_ = trial()
    scores = fitted(name).predict(x)
    assert scores.shape == (len(x),)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_EFFECT_LEARNED])
def test_persuadables_rank_above_the_others(name: str) -> None:
    x, _, _, effect = trial()
    scores = fitted(name).predict(x)
    top = np.argsort(-scores, kind="stable")[: len(x) // 5]
    best = np.sort(effect)[-len(x) // 5 :].mean()
    assert effect[top].mean() > 0.6 * best + 0.4 * effect.mean()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_PLACE])
def test_a_score_depends_on_its_row_alone(name: str) -> None:
    x, *_ = trial()
    together = fitted(name).predict(x)
    alone = np.concatenate([fitted(name).predict(x[n : n + 1]) for n in range(0, 100, 10)])
    np.testing.assert_allclose(alone, together[:100:10], rtol=1e-9)
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_allclose(fitted(name).predict(x.iloc[order]), together[order], rtol=1e-9)


@every_learner
def test_the_same_seed_gives_the_same_scores(name: str) -> None:
    again = made(name).fit(*trial()[:3])
    np.testing.assert_array_equal(again.predict(trial()[0]), fitted(name).predict(trial()[0]))


@every_learner
def test_refitting_forgets(name: str) -> None:
    x, treated, y, _ = trial()
    model = made(name).fit(x.head(500), ~treated[:500], 1 - y[:500])
    model.predict(x.head(9))
    np.testing.assert_array_equal(model.fit(x, treated, y).predict(x), fitted(name).predict(x))


@every_learner
def test_eight_threads_get_the_same_scores(name: str) -> None:
    x, *_ = trial()
    model = made(name).fit(*trial()[:3])  # fresh, so that what is loaded late is loaded by several at once
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: model.predict(x[:300]), range(8)))
    for scores in answers:
        np.testing.assert_array_equal(scores, fitted(name).predict(x[:300]))


@every_learner
def test_missing_features_are_taken(name: str) -> None:
    x = trial()[0].head(5).assign(noise=np.nan, rate=[np.nan, 1, 2, np.nan, 4])
    assert np.isfinite(fitted(name).predict(x)).all()


@every_learner
def test_no_rows_no_scores(name: str) -> None:
    assert fitted(name).predict(trial()[0].head(0)).shape == (0,)


@every_learner
def test_rows_are_left_as_they_are(name: str) -> None:
    x, treated, y, _ = trial()
    copy = x.copy()
    made(name).fit(copy, treated, y).predict(copy)
    pd.testing.assert_frame_equal(copy, x)


@every_learner
@pytest.mark.parametrize(("treat", "who"), [(True, "everybody"), (False, "nobody")])
def test_treatment_of_all_or_of_none_is_refused(name: str, treat: bool, who: str) -> None:
    x, _, y, _ = trial()
    with pytest.raises(ValueError, match=f"{who} was treated: an effect can be learned only beside a control group"):
        made(name).fit(x, np.full(len(x), treat), y)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_SAVED])
def test_saved_and_loaded_gives_equal_scores(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    x, model = trial()[0], load(tmp_path)
    with ThreadPoolExecutor(8) as threads:  # what is loaded late is loaded by several at once
        answers = list(threads.map(lambda _: model.predict(x), range(8)))
    for scores in answers:
        np.testing.assert_array_equal(scores, fitted(name).predict(x))


@pytest.mark.parametrize("name", sorted(NOT_SAVED))
def test_what_cannot_be_saved_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError), match="learned nothing that could be saved"):
        save(fitted(name), tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [
        ("n_estimators", 0, "be 1 or more"),
        ("num_leaves", 1, "be 2 or more"),
        ("learning_rate", 0, "be above 0"),
        ("learning_rate", 100, "lie between 0 and 1"),
        ("min_child_samples", 0, "be 1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(setting: str, value: float, rule: str) -> None:
    with pytest.raises(ValueError, match=f"LightGBMTLearner: {setting}={value} must {rule}"):
        LightGBMTLearner(**{setting: value})
