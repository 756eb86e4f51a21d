"""A small shop with habits, and the reason why these tests are skipped where RecBole is absent."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

from omniretail.ids import Vocabulary
from omniretail.views.histories import Histories
from omniretail.views.train import Train

needs_recbole = pytest.mark.skipif(
    importlib.util.find_spec("recbole") is None,
    reason="RecBole is not installed (it needs Python 3.11; pip install 'omniretail[recbole]')",
)

N_USERS, N_ITEMS = 60, 40


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Models this small gain nothing from a second thread, and lose much where another process has the core."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)


def shop(with_attributes: bool = True, seed: int = 0) -> Train:
    """Users of two tastes, six to fourteen events each, some items bought twice, every item bought by someone."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(6, 15, N_USERS)
    rows = np.repeat(np.arange(N_USERS), lengths)
    item_idx = (rng.integers(0, N_ITEMS // 2, len(rows)) * 2 + rows % 2).astype(np.int32)
    item_idx[:N_ITEMS] = rng.permutation(N_ITEMS)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    place = np.arange(len(rows)) - offsets[rows]
    histories = Histories(np.arange(N_USERS, dtype=np.int32), offsets, item_idx, 86_400 * place, place // 2, N_ITEMS)
    ids = Vocabulary.of([f"item {n:02}" for n in range(N_ITEMS)])
    table = pd.DataFrame({"item_id": ids.ids, "name": "a thing"})
    if with_attributes:
        shelf = [None if n == 3 else ("tea", "milk")[n % 2] for n in range(N_ITEMS)]
        table = table.assign(category=shelf, department="food")
    return Train(histories, Vocabulary.of(np.arange(N_USERS)), ids, table, at=int(histories.timestamp.max()) + 1)


@pytest.fixture(scope="session")
def train() -> Train:
    return shop()


def without_last(histories: Histories) -> Histories:
    """The same users, each without their last event."""
    kept = np.ones(len(histories.item_idx), dtype=bool)
    kept[histories.offsets[1:] - 1] = False
    return Histories(
        histories.user_idx,
        histories.offsets - np.arange(len(histories) + 1),
        histories.item_idx[kept],
        histories.timestamp[kept],
        histories.basket[kept],
        histories.n_items,
    )


def as_strangers(histories: Histories) -> Histories:
    """The same histories, of users nobody knows."""
    return Histories(
        np.full(len(histories), -1, dtype=np.int32),
        histories.offsets,
        histories.item_idx,
        histories.timestamp,
        histories.basket,
        histories.n_items,
    )
