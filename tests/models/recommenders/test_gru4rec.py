from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from omniretail.models.recommenders.gru4rec import GRU4Rec
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from tests.models.factories import train_on
from tests.models.recommenders.test_sasrec import CIRCLE, NEXT, SHOP, STARTS


def small(epochs: int = 3, **settings: Any) -> GRU4Rec:
    usual = {"dim": 16, "hidden": 16, "max_len": 6, "batch_events": 64, "learning_rate": 0.01, "dropout": 0.0}
    return GRU4Rec(**(usual | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize(
    ("loss", "n_layers"),
    [("cross_entropy", 1), ("cross_entropy", 2), ("bpr_max", 1), ("top1", 1), ("top1_max", 1), ("bpr", 1)],
)
def test_every_loss_learns_the_order(loss: str, n_layers: int) -> None:
    model = small(35, loss=loss, n_layers=n_layers, n_negatives=4).fit(CIRCLE)
    np.testing.assert_array_equal(model.score(STARTS).argmax(axis=1), NEXT)


def test_it_remembers_more_than_the_last_item() -> None:
    """What follows item 0 is what came before it."""
    rng = np.random.default_rng(0)
    train = train_on([[[item] for first in rng.integers(1, 4, 5) for item in (first, 0, first)] for _ in range(60)], 4)
    model = small(25, learning_rate=0.03, max_len=15).fit(train)
    scores = model.score(Histories.of([[[first], [0]] for first in (1, 2, 3)], n_items=4))
    assert scores.argmax(axis=1).tolist() == [1, 2, 3]


def test_of_a_long_history_only_the_latest_events_count() -> None:
    model = small().fit(SHOP)
    latest = [[7], [1], [2], [7], [9], [3]]
    long, short = model.score(Histories.of([[[5], [6], *latest], latest], n_items=20))
    np.testing.assert_allclose(long, short, atol=1e-5)


def test_who_has_no_history_gets_the_popular_list() -> None:
    scores = small(1).fit(SHOP).score(Histories.of([[], [[3]]], n_items=20))
    np.testing.assert_array_equal(scores[0], np.bincount(SHOP.histories.item_idx, minlength=20))
    assert np.isfinite(scores).all()


def test_pauses_are_read_where_the_context_names_them() -> None:
    model = small(context=["gap"]).fit(SHOP)
    one = Histories.of([[[2], [3]]], n_items=20)
    another = replace(one, timestamp=np.array([0, 10**7]))
    assert np.abs(model.score(one) - model.score(another)).max() > 1e-4
