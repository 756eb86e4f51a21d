"""The few stores that each customer may visit next, and their features at the cutoff."""

from dataclasses import dataclass

import numpy as np

from omniretail.models.stores.decayed_visits import visit_weights
from omniretail.models.stores.popular import popularity
from omniretail.views.stores.visit_log import DAY, StoreLog
from omniretail.views.stores.visits import Visits

HALF_LIVES = (7.0, 28.0, 56.0, 112.0, None)
"""Half-lives of visits in the shares of stores, in days."""
_OWN = 56.0  # half-life by which a customer's stores are ordered
_NEVER_DAYS = 400.0
_BLOCK_CELLS = 1 << 22  # customers x stores at a time


@dataclass(frozen=True)
class StoreCandidates:
    """K stores for each of U customers, and a last row for unknown customers.

    Attributes:
        store: distinct stores, likeliest first by a rule of thumb; shape (U + 1, K).
        features: float32, NaN where unknown; shape (U + 1, K, F).
        column: place of each visit's store among its customer's K, -1 where it is none of them; shape (V,).
    """

    store: np.ndarray
    features: np.ndarray
    column: np.ndarray


@dataclass(frozen=True)
class _AllCustomers:
    """What is the same for everybody; S stores."""

    popular: np.ndarray  # share of visits in the last four weeks, (S,)
    trend: np.ndarray  # log of the share in the last week over that in the last 13, (S,)
    silent: np.ndarray  # log of days since the last visit, (S,)
    similarity: np.ndarray  # cosine of stores by their visitors, the diagonal 0, (S, S)
    after: np.ndarray  # share of the stores visited next after each, (S, S)


def store_candidates(log: StoreLog, n_candidates: int) -> StoreCandidates:
    """Candidates and features of all customers.

    Candidates are the customer's own stores by decayed visits, then those that customers of the same stores visit, then
    those visited after the last one, then the popular.

    Args:
        log: visits before the cutoff ``log.at``; nothing else is read.
        n_candidates: K; all stores where there are fewer.
    """
    shared = _of_all_customers(log)
    size = max(1, _BLOCK_CELLS // log.n_stores)
    starts = range(0, log.n_users + 1, size)
    blocks = [_block(log, shared, start, min(start + size, log.n_users + 1), n_candidates) for start in starts]
    store, features = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    hit = store[log.visits.row] == log.visits.store[:, None]
    column = np.where(hit.any(axis=1), hit.argmax(axis=1), -1)
    return StoreCandidates(store, features, column)


def _of_all_customers(log: StoreLog) -> _AllCustomers:
    visits, popular = log.visits, popularity(log, 28)
    week, quarter = (popularity(log, days) for days in (7, 91))
    last = np.full(log.n_stores, -np.inf)
    np.maximum.at(last, visits.store, visits.timestamp)
    own = np.sqrt(_shares(_cells(log, visits, visit_weights(log, 112.0), 0, log.n_users)))
    own /= np.maximum(np.linalg.norm(own, axis=0), 1e-9)
    similarity = own.T @ own
    np.fill_diagonal(similarity, 0)
    follows = visits.row[1:] == visits.row[:-1]
    step = visits.store[:-1][follows].astype(np.int64) * log.n_stores + visits.store[1:][follows]
    moves = np.bincount(step, minlength=log.n_stores**2).reshape(log.n_stores, log.n_stores)
    return _AllCustomers(
        popular=popular,
        trend=np.log((week + 1e-6) / (quarter + 1e-6)),
        silent=_days_since(log, last),
        similarity=similarity,
        after=(moves + 5 * popular) / (moves.sum(axis=1, keepdims=True) + 5),
    )


def _block(
    log: StoreLog, shared: _AllCustomers, start: int, end: int, n_candidates: int
) -> tuple[np.ndarray, np.ndarray]:
    """Candidates and features of customers ``start:end``; the one after the last is unknown."""
    n, inside = end - start, (log.visits.row >= start) & (log.visits.row < end)
    visits = log.visits.keep(inside)
    row = visits.row - start
    cells = {half: _cells(log, visits, visit_weights(log, half)[inside], start, n) for half in HALF_LIVES}
    own = _shares(cells[_OWN])
    latest = np.full(n, -1)
    latest[row] = visits.store
    similarity = _shares(own @ shared.similarity)
    after = np.where((latest >= 0)[:, None], shared.after[latest], shared.popular)
    visited = cells[None] > 0
    order = own + 1e-3 * visited + 1e-4 * similarity + 1e-5 * after + 1e-7 * shared.popular
    store = np.argsort(-order, axis=1, kind="stable")[:, :n_candidates]

    def at(table: np.ndarray) -> np.ndarray:
        return np.take_along_axis(np.broadcast_to(table, (n, log.n_stores)), store, axis=1)

    last, recency = _latest(visits, row, (n, log.n_stores))
    returns = _returns(visits, row, latest, visit_weights(log, 112.0)[inside], own)
    per_store = [
        *(at(_shares(each)) for each in cells.values()),
        np.log1p(at(cells[None])),
        at(_days_since(log, last)),
        np.log(at(recency)),
        at(returns),
        at(similarity),
        at(after),
        np.log(at(shared.popular) + 1e-7),
        at(shared.trend),
        at(shared.silent),
        _km(log, start, store),
    ]
    per_customer = [
        np.log1p(cells[28.0].sum(axis=1)),
        visited.sum(axis=1),
        own.max(axis=1, initial=0),
        _days_since(log, last.max(axis=1)),
    ]
    repeated = [np.repeat(each[:, None], store.shape[1], axis=1) for each in per_customer]
    return store, np.stack([*per_store, *repeated], axis=2).astype(np.float32)


def _cells(log: StoreLog, visits: Visits, weight: np.ndarray, start: int, n: int) -> np.ndarray:
    cell = (visits.row - start).astype(np.int64) * log.n_stores + visits.store
    return np.bincount(cell, weight, n * log.n_stores).reshape(n, log.n_stores).astype(np.float32)


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)


def _days_since(log: StoreLog, timestamp: np.ndarray) -> np.ndarray:
    return np.log1p(np.minimum((log.at - timestamp) / DAY, _NEVER_DAYS))


def _latest(visits: Visits, row: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Time of the last visit to each store, and how many visits ago, 1 the last; -inf and 1000 where there is none."""
    last, ago = np.full(shape, -np.inf), np.full(shape, 1000.0)
    np.maximum.at(last, (row, visits.store), visits.timestamp)
    np.minimum.at(ago, (row, visits.store), np.searchsorted(row, row, side="right") - np.arange(len(row)))
    return last, ago


def _returns(visits: Visits, row: np.ndarray, latest: np.ndarray, weight: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Share of stores visited after the one visited last, shrunk towards the customer's shares."""
    again = np.zeros_like(own)
    follows = np.append(False, (row[1:] == row[:-1]) & (visits.store[:-1] == latest[row[:-1]]))[: len(row)]
    np.add.at(again, (row[follows], visits.store[follows]), weight[follows].astype(again.dtype))
    return (again + 3 * own) / (again.sum(axis=1, keepdims=True) + 3)


def _km(log: StoreLog, start: int, store: np.ndarray) -> np.ndarray:
    if log.places is None:
        return np.full(store.shape, np.nan)
    row = np.arange(start, start + len(store))
    return log.places.km(np.where(row < log.n_users, row, -1)[:, None], store)
