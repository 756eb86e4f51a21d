"""What is known, at a moment, of customers and of the few stores that each may visit next."""

from dataclasses import dataclass

import numpy as np

from omniretail.models.stores.baselines import PopularStore, decayed
from omniretail.views.stores.visit_log import DAY, StoreLog
from omniretail.views.stores.visits import Visits

HALF_LIVES = (7.0, 28.0, 56.0, 112.0, None)
"""Days by which visits fade in the shares of stores."""
_OWN = 56.0  # the half-life by which a customer's stores are ordered
_NEVER_DAYS = 400.0
_BLOCK_CELLS = 1 << 22  # customers x stores that are laid out at a time


@dataclass(frozen=True)
class StoreCandidates:
    """K stores for each of U customers, and one row more for a customer of whom nothing is known.

    Attributes:
        store: numbers of stores, likeliest first by a rule of thumb, the same none twice; shape (U + 1, K).
        features: float32, NaN where not known; shape (U + 1, K, F).
        column: of each visit's store among its customer's K, -1 where it is none of them; shape (V,).
    """

    store: np.ndarray
    features: np.ndarray
    column: np.ndarray


@dataclass(frozen=True)
class _Town:
    """What is the same for everybody; S stores."""

    popular: np.ndarray  # share of visits of four weeks, (S,)
    trend: np.ndarray  # log of how the last week compares with the last 13, (S,)
    silent: np.ndarray  # log days since anybody came, (S,)
    alike: np.ndarray  # cosine of stores by who visits them, the diagonal 0, (S, S)
    after: np.ndarray  # share of stores visited next after each, (S, S)


def store_candidates(log: StoreLog, k: int) -> StoreCandidates:
    """Lay out candidates and features of all customers.

    Candidates are the customer's own stores by faded visits, then those that customers of the same stores visit, then
    those visited after the last one, then the popular.

    Args:
        log: visits before the moment ``log.at``; nothing else is looked at.
        k: candidates; all stores where there are fewer.
    """
    town = _town(log)
    size = max(1, _BLOCK_CELLS // log.n_stores)
    blocks = [
        _block(log, town, start, min(start + size, log.n_users + 1), k) for start in range(0, log.n_users + 1, size)
    ]
    store, features = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    hit = store[log.visits.row] == log.visits.store[:, None]
    column = np.where(hit.any(axis=1), hit.argmax(axis=1), -1)
    return StoreCandidates(store, features, column)


def _town(log: StoreLog) -> _Town:
    made, popular = log.visits, PopularStore(28).fit(log).popularity_
    week, quarter = (PopularStore(days).fit(log).popularity_ for days in (7, 91))
    last = np.full(log.n_stores, -np.inf)
    np.maximum.at(last, made.store, made.timestamp)
    own = np.sqrt(_shares(_cells(log, made, decayed(log, 112.0), 0, log.n_users)))
    own /= np.maximum(np.linalg.norm(own, axis=0), 1e-9)
    alike = own.T @ own
    np.fill_diagonal(alike, 0)
    follows = made.row[1:] == made.row[:-1]
    step = made.store[:-1][follows].astype(np.int64) * log.n_stores + made.store[1:][follows]
    moves = np.bincount(step, minlength=log.n_stores**2).reshape(log.n_stores, log.n_stores)
    return _Town(
        popular=popular,
        trend=np.log((week + 1e-6) / (quarter + 1e-6)),
        silent=_days_since(log, last),
        alike=alike,
        after=(moves + 5 * popular) / (moves.sum(axis=1, keepdims=True) + 5),
    )


def _block(log: StoreLog, town: _Town, start: int, end: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Candidates and features of customers ``start:end``; the one after the last is nobody."""
    n, inside = end - start, (log.visits.row >= start) & (log.visits.row < end)
    made = log.visits.keep(inside)
    row = made.row - start
    cells = {half: _cells(log, made, decayed(log, half)[inside], start, n) for half in HALF_LIVES}
    own = _shares(cells[_OWN])
    latest = np.full(n, -1)
    latest[row] = made.store
    alike = _shares(own @ town.alike)
    after = np.where((latest >= 0)[:, None], town.after[latest], town.popular)
    visited = cells[None] > 0
    order = own + 1e-3 * visited + 1e-4 * alike + 1e-5 * after + 1e-7 * town.popular
    store = np.argsort(-order, axis=1, kind="stable")[:, :k]

    def at(table: np.ndarray) -> np.ndarray:
        return np.take_along_axis(np.broadcast_to(table, (n, log.n_stores)), store, axis=1)

    last, recency = _latest(made, row, (n, log.n_stores))
    returns = _returns(made, row, latest, decayed(log, 112.0)[inside], own)
    per_store = [
        *(at(_shares(each)) for each in cells.values()),
        np.log1p(at(cells[None])),
        at(_days_since(log, last)),
        np.log(at(recency)),
        at(returns),
        at(alike),
        at(after),
        np.log(at(town.popular) + 1e-7),
        at(town.trend),
        at(town.silent),
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


def _cells(log: StoreLog, made: Visits, weight: np.ndarray, start: int, n: int) -> np.ndarray:
    cell = (made.row - start).astype(np.int64) * log.n_stores + made.store
    return np.bincount(cell, weight, n * log.n_stores).reshape(n, log.n_stores).astype(np.float32)


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)


def _days_since(log: StoreLog, timestamp: np.ndarray) -> np.ndarray:
    return np.log1p(np.minimum((log.at - timestamp) / DAY, _NEVER_DAYS))


def _latest(made: Visits, row: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """When each store was last visited, and how many visits ago, 1 the last; -inf and 1000 where never."""
    last, ago = np.full(shape, -np.inf), np.full(shape, 1000.0)
    np.maximum.at(last, (row, made.store), made.timestamp)
    np.minimum.at(ago, (row, made.store), np.searchsorted(row, row, side="right") - np.arange(len(row)))
    return last, ago


def _returns(made: Visits, row: np.ndarray, latest: np.ndarray, weight: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Share of stores that the customer visits after the one visited last, drawn to their usual shares."""
    again = np.zeros_like(own)
    follows = np.append(False, (row[1:] == row[:-1]) & (made.store[:-1] == latest[row[:-1]]))[: len(row)]
    np.add.at(again, (row[follows], made.store[follows]), weight[follows].astype(again.dtype))
    return (again + 3 * own) / (again.sum(axis=1, keepdims=True) + 3)


def _km(log: StoreLog, start: int, store: np.ndarray) -> np.ndarray:
    if log.places is None:
        return np.full(store.shape, np.nan)
    row = np.arange(start, start + len(store))
    return log.places.km(np.where(row < log.n_users, row, -1)[:, None], store)
