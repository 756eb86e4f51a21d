"""What every encoder that is a network must do, as checks to be called with a small one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from omniretail.models.saving import load, save
from omniretail.views.train import Train
from tests.models.profiles.shop import BARE, KINDS, ODD_LOTS, ORDER_ONLY, no_columns

TRAINS = {"all": KINDS, "no columns": no_columns(KINDS), "bare": BARE, "order only": ORDER_ONLY}


def embeds_every_kind_of_history(made: Callable[[], Any], train: Train) -> None:
    model = made().fit(train)
    vectors = model.embed(ODD_LOTS, train.at)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.isfinite(model.embed(train.histories, train.at)).all()
    assert model.embed(ODD_LOTS.take([0, 4]), train.at).shape == (2, vectors.shape[1])
    assert model.embed(ODD_LOTS.take([]), train.at).shape == (0, vectors.shape[1])
    unpriced = replace(train.histories, value=np.full(len(train.histories.item_idx), np.nan, np.float32))
    assert np.isfinite(model.embed(unpriced, train.at)).all()


def a_row_depends_on_its_customer_alone(made: Callable[[], Any]) -> None:
    model = made().fit(KINDS)
    for users in (KINDS.histories, ODD_LOTS):
        together = model.embed(users, KINDS.at)
        alone = np.concatenate([model.embed(users.take([row]), KINDS.at) for row in range(len(users))])
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
        order = np.random.default_rng(0).permutation(len(users))
        np.testing.assert_allclose(model.embed(users.take(order), KINDS.at), together[order], rtol=1e-4, atol=1e-5)


def seed_decides(made: Callable[..., Any]) -> None:
    first, again, other = (made(seed=seed).fit(KINDS).embed(KINDS.histories, KINDS.at) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def saved_and_loaded_gives_equal_vectors(made: Callable[[], Any], folder: Path) -> None:
    for number, train in enumerate(TRAINS.values()):
        model: Any = made().fit(train)
        save(model, folder / str(number))
        back: Any = load(folder / str(number))
        assert type(back) is type(model)
        np.testing.assert_array_equal(back.embed(ODD_LOTS, train.at), model.embed(ODD_LOTS, train.at))
