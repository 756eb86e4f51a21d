"""Visits that weigh less the older they are."""

import numpy as np

from omniretail.views.stores.visit_log import DAY, StoreLog


def decayed_counts(log: StoreLog, half_life_days: float | None = None) -> np.ndarray:
    """Visits of each customer to each store, decayed by age; float32, shape (U, S)."""
    visits = log.visits
    cell = visits.row.astype(np.int64) * log.n_stores + visits.store
    flat = np.bincount(cell, weights=visit_weights(log, half_life_days), minlength=log.n_users * log.n_stores)
    return flat.reshape(log.n_users, log.n_stores).astype(np.float32)


def visit_weights(log: StoreLog, half_life_days: float | None) -> np.ndarray:
    """Weight of each visit, ``0.5 ** (age / half_life_days)``, 1 where there is no half-life; shape (V,)."""
    if half_life_days is None:
        return np.ones(len(log.visits))
    return 0.5 ** ((log.at - log.visits.timestamp) / DAY / half_life_days)


def pairs_of(query_row: np.ndarray, row: np.ndarray, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """Every query beside every entry of its customer.

    Args:
        query_row: customers of the queries, -1 where unknown; shape (Q,).
        row: customers of the entries, ascending; shape (V,).
        n_users: of all customers.

    Returns:
        Positions of queries, ascending, and of entries; both (P,).

    >>> pairs_of(np.array([1, 0, -1]), np.array([0, 1, 1]), n_users=2)
    (array([0, 0, 1]), array([1, 2, 0]))
    """
    start = np.searchsorted(row, np.arange(n_users + 1))
    lengths = np.where(query_row >= 0, np.diff(start)[query_row], 0)
    query = np.repeat(np.arange(len(query_row)), lengths)
    within = np.arange(len(query)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return query, start[query_row[query]] + within


def rows_of(by_user: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The customers' rows of (U, S), zero where a customer is unknown; float32, a copy; shape (Q, S)."""
    return np.where((row >= 0)[:, None], by_user[row], 0).astype(np.float32)
