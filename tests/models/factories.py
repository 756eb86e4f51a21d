"""Training sets written by hand or drawn at random."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.views.histories import Histories
from omniretail.views.train import Train

Baskets = Sequence[Sequence[Sequence[int]]]


def train_on(baskets: Baskets, n_items: int) -> Train:
    """A training set of these users' baskets, oldest first; each basket takes a second."""
    fresh = Histories.of(baskets, n_items)
    histories = replace(fresh, user_idx=np.arange(len(fresh), dtype=np.int32))
    users, items = Vocabulary.of(range(len(fresh))), Vocabulary.of(range(n_items))
    at = int(fresh.timestamp.max()) + 1
    return Train(histories, users, items, pd.DataFrame({"item_id": items.ids}), at)


def random_baskets(n_users: int, n_items: int, seed: int = 0) -> list[list[list[int]]]:
    """One to nine baskets per user of one to four items, some of them twice; every item is taken by somebody."""
    rng = np.random.default_rng(seed)
    users = [
        [rng.integers(0, n_items, rng.integers(1, 5)).tolist() for _ in range(rng.integers(1, 10))]
        for _ in range(n_users)
    ]
    for item in range(n_items):
        users[item % n_users][0].append(item)
    return users


def matrix_of(baskets: Baskets, n_items: int) -> np.ndarray:
    """One where the user took the item; shape (U, I)."""
    dense = np.zeros((len(baskets), n_items))
    for user, own in enumerate(baskets):
        for basket in own:
            dense[user, basket] = 1
    return dense
