"""Where customers shop and what stores sell, from histories before the cutoff."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.views.histories import Histories
from omniretail.views.train import Train

WEEK = 7 * 86400
"""Seconds."""


@dataclass(frozen=True)
class Visits:
    """Baskets with a store, each user's oldest first.

    Attributes:
        row: row of the user, ascending; shape (V,).
        store: index among the training set's stores; shape (V,).
        timestamp: start, seconds since 1970, UTC; shape (V,).
    """

    row: np.ndarray
    store: np.ndarray
    timestamp: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def keep(self, mask: np.ndarray) -> "Visits":
        """The visits where ``mask`` is True; shape of the mask (V,)."""
        return Visits(self.row[mask], self.store[mask], self.timestamp[mask])


def visits(histories: Histories) -> Visits:
    """One per basket; where its items name several stores, the first one counts.

    >>> users = Histories(*(np.array(part) for part in ([0], [0, 3], [1, 2, 1], [5, 5, 9], [0, 0, 1])), n_items=3,
    ...                   store=np.array([4, 4, 2]))
    >>> visits(users).store
    array([4, 2])
    """
    in_store = histories.keep(histories.store >= 0)
    row = in_store.rows
    first = np.ones(len(row), dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (in_store.basket[1:] != in_store.basket[:-1])
    return Visits(row[first], in_store.store[first], in_store.timestamp[first])


def since(train: Train, weeks: float | None) -> int:
    """The time so many weeks before the cutoff, seconds since 1970; None: before everything.

    Raises:
        SettingsError: where the data has an order of events but no times.
    """
    if weeks is None:
        return np.iinfo(np.int64).min
    if not train.zone:
        raise SettingsError("this data has an order of events but no times, so no weeks can be counted: set weeks=null")
    return train.at - int(weeks * WEEK)


def own_store(users: Histories, choice: Literal["most_frequent", "last"], start: int) -> np.ndarray:
    """The store of each customer: the one in which they are served now, or else the one that their visits suggest.

    Args:
        users: B users.
        choice: ``most_frequent`` among the visits from ``start`` on, the later visited one of equals, and the last one
            where there is no such visit; or ``last``.
        start: seconds since 1970.

    Returns:
        Indices of stores, -1 for a customer without a visit; shape (B,).
    """
    all_visits = visits(users)
    own = np.full(len(users), -1, dtype=np.int64)
    own[all_visits.row] = all_visits.store  # oldest first, so the last one stays
    if choice == "most_frequent":
        recent = all_visits.keep(all_visits.timestamp >= start)
        pairs = recent.row.astype(np.int64) * (int(recent.store.max(initial=0)) + 1) + recent.store
        _, pair, count = np.unique(pairs, return_inverse=True, return_counts=True)
        order = np.lexsort((np.arange(len(recent)), count[pair]))  # fewest visits first, of equals the oldest
        own[recent.row[order]] = recent.store[order]
    return np.where(users.at_store >= 0, users.at_store, own)


def sold(train: Train, weeks: float | None = None) -> sparse.csr_array:
    """Number of events of each store with each item in the weeks before the cutoff; float32, shape (S, I)."""
    histories = train.histories
    counted = (histories.store >= 0) & (histories.timestamp >= since(train, weeks))
    ones = np.ones(int(counted.sum()), dtype=np.float32)
    at = (histories.store[counted], histories.item_idx[counted])
    matrix = sparse.coo_array((ones, at), shape=(len(train.stores), len(train.items))).tocsr()
    matrix.sort_indices()
    return matrix
