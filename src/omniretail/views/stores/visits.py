"""Where customers shop and what stores sell, told from histories before the cutoff."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from omniretail.views.histories import Histories
from omniretail.views.train import Train

WEEK = 7 * 86400
"""Seconds."""


@dataclass(frozen=True)
class Visits:
    """Baskets taken home from a store that is known, each user's oldest first.

    Attributes:
        row: whose; shape (V,), ascending.
        store: its number among the training set's stores; shape (V,).
        timestamp: when it began, seconds since 1970 UTC; shape (V,).
    """

    row: np.ndarray
    store: np.ndarray
    timestamp: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def keep(self, kept: np.ndarray) -> "Visits":
        """Some of them; ``kept`` is a mask of shape (V,)."""
        return Visits(self.row[kept], self.store[kept], self.timestamp[kept])


def visits(histories: Histories) -> Visits:
    """One per basket; where its items name several stores, the first one counts.

    >>> users = Histories(*(np.array(part) for part in ([0], [0, 3], [1, 2, 1], [5, 5, 9], [0, 0, 1])), n_items=3,
    ...                   store=np.array([4, 4, 2]))
    >>> visits(users).store
    array([4, 2])
    """
    known = histories.keep(histories.store >= 0)
    row = known.rows
    first = np.ones(len(row), dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (known.basket[1:] != known.basket[:-1])
    return Visits(row[first], known.store[first], known.timestamp[first])


def since(train: Train, weeks: float | None) -> int:
    """The moment so many weeks before the cutoff, seconds since 1970; None: before everything.

    Raises:
        ValueError: where the data holds an order only, and weeks mean nothing.
    """
    if weeks is None:
        return np.iinfo(np.int64).min
    if not train.zone:
        raise ValueError("this data holds an order only, so weeks before the cutoff mean nothing; set weeks=null")
    return train.at - int(weeks * WEEK)


def own_store(users: Histories, choice: Literal["most_frequent", "last"], start: int) -> np.ndarray:
    """The store that is taken to be each customer's: the one they are served in now, or else told by their visits.

    Args:
        users: B users.
        choice: ``most_frequent`` among the visits from ``start`` on, of equals the one visited later, and the last one
            where there was no such visit; or ``last``.
        start: seconds since 1970.

    Returns:
        Numbers of stores, -1 for a customer without a visit to a known store; shape (B,).
    """
    made = visits(users)
    found = np.full(len(users), -1, dtype=np.int64)
    found[made.row] = made.store  # oldest first, so the last one stays
    if choice == "most_frequent":
        recent = made.keep(made.timestamp >= start)
        pairs = recent.row.astype(np.int64) * (int(recent.store.max(initial=0)) + 1) + recent.store
        _, pair, count = np.unique(pairs, return_inverse=True, return_counts=True)
        order = np.lexsort((np.arange(len(recent)), count[pair]))  # fewest visits first, of equals the oldest
        found[recent.row[order]] = recent.store[order]
    return np.where(users.at_store >= 0, users.at_store, found)


def sold(train: Train, weeks: float | None = None) -> sparse.csr_array:
    """How many events each store had with each item in the weeks before the cutoff; float32, shape (S, I)."""
    histories = train.histories
    counted = (histories.store >= 0) & (histories.timestamp >= since(train, weeks))
    ones = np.ones(int(counted.sum()), dtype=np.float32)
    at = (histories.store[counted], histories.item_idx[counted])
    matrix = sparse.coo_array((ones, at), shape=(len(train.stores), len(train.items))).tocsr()
    matrix.sort_indices()
    return matrix
