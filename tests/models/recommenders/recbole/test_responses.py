"""RecBole's context-aware models as response models: they learn, keep their promises, and name what is wrong."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from omniretail.models.recommenders.recbole.zoo import ZOO
from omniretail.models.responses.recbole import RecBoleResponse
from omniretail.models.saving import load, save
from tests.models.recommenders.recbole.conftest import needs_recbole

CONTEXT = [name for name, family in ZOO.items() if family == "context"]
SAMPLE = {"FM", "DeepFM", "DCNV2", "DSSM"}

every_model = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow) for name in CONTEXT]
)


def rows() -> tuple[pd.DataFrame, np.ndarray]:
    """Who buys: lovers of tea where there is tea, the more so the larger the discount."""
    rng = np.random.default_rng(0)
    n = 2_000
    frame = pd.DataFrame(
        {
            "user_id": rng.integers(0, 30, n),
            "item_id": rng.integers(0, 20, n),
            "shelf": rng.choice(["tea", "milk", None], n),
            "discount": rng.normal(10, 3, n),
            "online": rng.random(n) < 0.5,
        }
    )
    chance = 1 / (1 + np.exp(-(2.0 * (frame.shelf == "tea") - 1.0 + 0.3 * (frame.discount - 10))))
    return frame, (rng.random(n) < chance).to_numpy().astype(float)


@cache
def fitted(name: str) -> Any:
    frame, y = rows()
    return RecBoleResponse(name, {"train_batch_size": 256, "learning_rate": 0.01}, epochs=5).fit(
        frame[:1_500], y[:1_500]
    )


def area_under_curve(y: np.ndarray, scores: np.ndarray) -> float:
    ranks = pd.Series(scores).rank().to_numpy()
    n_yes = y.sum()
    return (ranks[y == 1].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * (len(y) - n_yes))


@needs_recbole
@every_model
def test_probabilities_tell_who_buys(name: str) -> None:
    frame, y = rows()
    p = fitted(name).predict_proba(frame[1_500:])
    assert p.shape == (500,)
    assert p.dtype == np.float64
    assert 0 <= p.min() <= p.max() <= 1
    if name != "DSSM":  # its towers see the user and the item, on whom nothing depends here
        assert area_under_curve(y[1_500:], p) > 0.65


@needs_recbole
@every_model
def test_saved_and_loaded_gives_equal_probabilities(name: str, tmp_path: Path) -> None:
    frame, _ = rows()
    save(fitted(name), tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict_proba(frame), fitted(name).predict_proba(frame))


@needs_recbole
@every_model
def test_new_categories_and_gaps_are_taken(name: str) -> None:
    frame = rows()[0][:4].assign(shelf=["coffee", None, "tea", "milk"], discount=[np.nan, 1, 2, 3])
    assert np.isfinite(fitted(name).predict_proba(frame)).all()


@needs_recbole
def test_no_rows_no_probabilities() -> None:
    assert fitted("FM").predict_proba(rows()[0][:0]).shape == (0,)


@needs_recbole
def test_rows_need_neither_users_nor_items() -> None:
    frame, y = rows()
    some = frame[["shelf", "discount"]]
    assert RecBoleResponse("LR", epochs=1).fit(some, y).predict_proba(some).shape == (len(frame),)


@needs_recbole
def test_two_towers_need_users_and_items() -> None:
    frame, y = rows()
    with pytest.raises(ValueError, match="needs columns user_id and item_id"):
        RecBoleResponse("DSSM").fit(frame.drop(columns="item_id"), y)


@needs_recbole
def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="no column 'shelf'"):
        fitted("FM").predict_proba(rows()[0].drop(columns="shelf"))


def test_a_recommender_is_no_response_model() -> None:
    with pytest.raises(ValueError, match="SASRec is a sequential model of RecBole; choose one of its context models"):
        RecBoleResponse("SASRec").fit(*rows())
