"""What ``ResponseModel`` asks of a model, held against every yaml of ``configs/model/response``."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from omniretail.metrics.classification import auc
from omniretail.models.responses.blend import Blend
from omniretail.models.responses.lightgbm import LightGBM
from omniretail.models.responses.logistic import Logistic
from omniretail.models.responses.wide_and_deep import WideAndDeep
from omniretail.models.saving import load, save
from tests.conftest import ROOT, composed
from tests.models.recommenders.recbole.conftest import needs_recbole

NAMES = sorted(path.stem for path in (ROOT / "configs/model/response").glob("*.yaml"))
SAME_FOR_EVERYBODY = {"base_rate"}
N, N_TRAIN, CATEGORIES = 600, 400, ("tea", "milk", "bread")

every_model = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[needs_recbole] if name == "recbole" else []) for name in NAMES]
)


def rows() -> tuple[pd.DataFrame, np.ndarray]:
    """Who redeemed often and came lately redeems again, more so where they buy what is offered."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"redeemed_rate": rng.random(N), "recency_days": rng.exponential(20, N)})
    frame["spend"] = np.where(rng.random(N) < 0.2, np.nan, rng.exponential(500, N))
    frame["kind"] = rng.choice(np.array(["A", "B", None], dtype=object), N)
    frame["never_known"] = np.nan
    frame["always_one"] = 1.0
    bought, offered = rng.dirichlet(np.ones(3) / 2, N), rng.dirichlet(np.ones(3) / 2, N)
    for side, shares in (("bought", bought), ("offered", offered)):
        for category, share in zip(CATEGORIES, shares.T, strict=True):
            frame[f"{side}_share_of_{category}"] = share.astype(np.float32)
    logit = 6 * frame.redeemed_rate - 0.08 * frame.recency_days + 3 * (bought * offered).sum(axis=1) - 3.5
    return frame, (rng.random(N) < 1 / (1 + np.exp(-logit))).to_numpy().astype(float)


def made(name: str) -> Any:
    """The yaml's model; a network is trained for as short as possible."""
    tiny = ["model.epochs=2"] if name == "recbole" else ["trainer.max_epochs=4", "trainer.checkpoints=null"]
    return instantiate(composed(f"model=response/{name}", *tiny).model)


@cache
def fitted(name: str) -> Any:
    frame, y = rows()
    return made(name).fit(frame[:N_TRAIN], y[:N_TRAIN])


def predicted(name: str) -> np.ndarray:
    return fitted(name).predict_proba(rows()[0][N_TRAIN:])


def assert_close(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@every_model
def test_predictions_are_probabilities(name: str) -> None:
    p = predicted(name)
    assert p.dtype == np.float64
    assert p.shape == (N - N_TRAIN,)
    assert 0 <= p.min() <= p.max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SAME_FOR_EVERYBODY | {"recbole"}])
def test_customers_who_act_rank_above_the_others(name: str) -> None:
    assert auc(rows()[1][N_TRAIN:, None], predicted(name)[:, None])[0] > 0.6


@every_model
def test_probabilities_are_right_on_average(name: str) -> None:
    _, y = rows()
    assert abs(predicted(name).mean() - y[:N_TRAIN].mean()) < 0.15


@every_model
def test_the_same_seed_gives_the_same_predictions(name: str) -> None:
    frame, y = rows()
    again = made(name).fit(frame[:N_TRAIN], y[:N_TRAIN])
    np.testing.assert_array_equal(again.predict_proba(frame[N_TRAIN:]), predicted(name))


@every_model
def test_a_prediction_depends_on_its_row_alone(name: str) -> None:
    frame = rows()[0][N_TRAIN:]
    alone = [fitted(name).predict_proba(frame[n : n + 1]) for n in range(0, len(frame), 20)]
    assert_close(np.concatenate(alone), predicted(name)[::20])
    order = np.random.default_rng(0).permutation(len(frame))
    assert_close(fitted(name).predict_proba(frame.iloc[order]), predicted(name)[order])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "recbole"])
def test_eight_threads_get_the_same_predictions(name: str) -> None:
    frame, y = rows()
    model = made(name).fit(frame[:N_TRAIN], y[:N_TRAIN])  # fresh, so that what is loaded late is loaded by several
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: model.predict_proba(frame[N_TRAIN:]), range(16)))
    for chances in answers:
        np.testing.assert_array_equal(chances, predicted(name))


@every_model
def test_columns_may_come_in_another_order_and_with_others(name: str) -> None:
    frame = rows()[0][N_TRAIN:]
    shuffled = frame[frame.columns[::-1]].assign(another=7.0)
    assert_close(fitted(name).predict_proba(shuffled), predicted(name))


@every_model
def test_refitting_forgets(name: str) -> None:
    frame, y = rows()
    model = made(name).fit(frame[N_TRAIN:].drop(columns="kind"), 1 - y[N_TRAIN:])
    model.predict_proba(frame[:9])
    np.testing.assert_array_equal(
        model.fit(frame[:N_TRAIN], y[:N_TRAIN]).predict_proba(frame[N_TRAIN:]), predicted(name)
    )


@every_model
def test_saved_and_loaded_gives_equal_predictions_without_pickle(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    assert {path.suffix for path in tmp_path.rglob("*.*") if path.is_file()} <= {".json", ".npz", ".safetensors"}
    np.testing.assert_array_equal(load(tmp_path).predict_proba(rows()[0][N_TRAIN:]), predicted(name))


@every_model
def test_gaps_and_new_categories_are_taken(name: str) -> None:
    frame = rows()[0][:4]
    odd = frame.assign(
        redeemed_rate=np.nan, recency_days=[np.nan, 1, 1e9, -1], spend=np.nan, kind=["C", None, "A", "B"]
    )
    p = fitted(name).predict_proba(odd)
    assert np.isfinite(p).all()
    assert 0 <= p.min() <= p.max() <= 1


@every_model
def test_no_rows_no_predictions(name: str) -> None:
    assert fitted(name).predict_proba(rows()[0][:0]).shape == (0,)


@every_model
def test_rows_are_left_as_they_are(name: str) -> None:
    frame, y = rows()
    part = frame[:N_TRAIN].copy()
    made(name).fit(part, y[:N_TRAIN]).predict_proba(part)
    pd.testing.assert_frame_equal(part, frame[:N_TRAIN])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "recbole"])
@pytest.mark.parametrize(("outcomes", "message"), [(np.zeros(9), "of 9, none did"), (np.ones(9), "of 9, all did")])
def test_outcomes_that_are_all_the_same_are_refused(name: str, outcomes: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(name).fit(rows()[0][:9], outcomes)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "recbole"])
def test_unknown_outcomes_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="outcomes must be 0 or 1"):
        made(name).fit(rows()[0][:3], np.array([0, 1, np.nan]))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SAME_FOR_EVERYBODY])
def test_a_missing_column_is_named(name: str) -> None:
    frame = rows()[0].drop(columns=["redeemed_rate", "recency_days"])
    with pytest.raises(ValueError, match=r"no column '(redeemed_rate|recency_days)'"):
        fitted(name).predict_proba(frame)


def test_lightgbm_is_saved_as_its_own_text() -> None:
    assert all(str(text).startswith("tree\n") for text in fitted("lightgbm").models_text_)


def test_a_blend_lies_between_its_parts_and_names_them() -> None:
    parts = np.stack([predicted("logistic"), predicted("lightgbm")])
    assert (parts.min(axis=0) - 1e-9 <= predicted("blend")).all()
    assert (predicted("blend") <= parts.max(axis=0) + 1e-9).all()
    with pytest.raises(ValueError, match="parts is empty"):
        Blend({})
    with pytest.raises(ValueError, match=r"'\.\./x' becomes a folder's name"):
        Blend({"../x": made("base_rate")})


@pytest.mark.parametrize(
    ("model", "setting", "value", "rule"),
    [
        (Logistic, "strength", 0, "be above 0"),
        (LightGBM, "n_estimators", 0, "be 1 or more"),
        (LightGBM, "num_leaves", 1, "be 2 or more"),
        (LightGBM, "min_child_samples", 0, "be 1 or more"),
        (LightGBM, "subsample", 0, "be above 0"),
        (LightGBM, "colsample_bytree", 1.5, "lie between 0 and 1"),
        (LightGBM, "learning_rate", 100, "lie between 0 and 1"),
        (LightGBM, "reg_lambda", -1, "be 0 or more"),
        (LightGBM, "n_seeds", 0, "be 1 or more"),
        (LightGBM, "boosting_type", "dart", "be one of gbdt, rf"),
        (WideAndDeep, "dim", 0, "be 1 or more"),
        (WideAndDeep, "dropout", 2, "lie between 0 and 1"),
        (WideAndDeep, "learning_rate", 0, "be above 0"),
        (WideAndDeep, "wide_ridge", -1, "be 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(model: type, setting: str, value: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=f"{model.__name__}: {setting}={value!r} must {rule}"):
        model(**{setting: value})


def test_a_forest_without_anything_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="must have subsample or colsample_bytree below 1"):
        LightGBM(subsample=1.0, colsample_bytree=1.0)
