"""Features of the time of a visit: the hours and weekdays at which a customer visits each store."""

import numpy as np
import pandas as pd

from omniretail.models.stores.candidates import StoreCandidates
from omniretail.models.stores.decayed_visits import pairs_of, visit_weights
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries

_HALF_LIFE_DAYS, _HOURS, _PRIOR_VISITS, _PRIOR_STORE_VISITS = 112.0, 1.5, 2.0, 200
_KINDS = 48  # weekday or weekend, by hour


def time_features(log: StoreLog, candidates: StoreCandidates, queries: VisitQueries) -> np.ndarray:
    """For each query and candidate: shares of similar visits, the store's own hours, and days from the cutoff.

    Visits are similar by nearness of their hour, by weekday, by weekend, and by two of these at once. Shares are shrunk
    towards the customer's shares at any time, as if ``_PRIOR_VISITS`` more visits had been like those.

    Args:
        log: visits before ``log.at``.
        candidates: of that log.
        queries: Q visits, of which customers and times are read.

    Returns:
        float32; shape (Q, K, F).
    """
    visits, shape = log.visits, (len(queries), candidates.store.shape[1])
    query, visit = pairs_of(queries.visits.row, visits.row, log.n_users)
    day, hour = _day_and_hour(visits.timestamp, log.zone)
    query_day, query_hour = _day_and_hour(queries.visits.timestamp, log.zone)
    weight, column = visit_weights(log, _HALF_LIFE_DAYS)[visit], candidates.column[visit]
    inside, cell = column >= 0, query * shape[1] + column

    def summed(similarity: np.ndarray) -> np.ndarray:
        counts = np.bincount(cell[inside], (weight * similarity)[inside], shape[0] * shape[1])
        return counts.reshape(shape).astype(np.float64)  # of no visits they are whole numbers

    at_any_time = summed(np.ones(len(visit)))
    at_any_time /= np.maximum(at_any_time.sum(axis=1, keepdims=True), 1e-9)
    hours = np.abs(hour[visit] - query_hour[query])
    near = np.exp(-0.5 * (np.minimum(hours, 24 - hours) / _HOURS) ** 2)
    same_day = day[visit] == query_day[query]
    same_part = (day[visit] >= 5) == (query_day[query] >= 5)
    kinds = (near, same_day, same_part, near * same_part, near * same_day)
    counts = [summed(similarity) for similarity in kinds]
    shares = [(n + _PRIOR_VISITS * at_any_time) / (n.sum(axis=1, keepdims=True) + _PRIOR_VISITS) for n in counts]
    kind = _kind(query_day, query_hour)
    busy = _busy(log, day, hour)[candidates.store[queries.visits.row], kind[:, None]]
    ahead = np.repeat(((queries.visits.timestamp - log.at) / DAY)[:, None], shape[1], axis=1)
    return np.stack([*shares, busy, ahead], axis=2).astype(np.float32)


def _busy(log: StoreLog, day: np.ndarray, hour: np.ndarray) -> np.ndarray:
    """Log of the share of a store's visits in each kind of hour over that of all visits; shape (S, kinds)."""
    cell = log.visits.store.astype(np.int64) * _KINDS + _kind(day, hour)
    counts = np.bincount(cell, minlength=log.n_stores * _KINDS).reshape(log.n_stores, _KINDS)
    share, prior = (counts.sum(axis=0) + 1) / (counts.sum() + _KINDS), _PRIOR_STORE_VISITS
    return np.log((counts + prior * share) / (counts.sum(axis=1, keepdims=True) + prior) / share)


def _kind(day: np.ndarray, hour: np.ndarray) -> np.ndarray:
    return (day >= 5) * 24 + hour.astype(np.int64)


def _day_and_hour(timestamp: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Local weekday, 0 = Monday, and hour with its fraction."""
    local = pd.DatetimeIndex(pd.to_datetime(timestamp, unit="s", utc=True)).tz_convert(zone)
    return local.day_of_week.to_numpy(), (local.hour + local.minute / 60).to_numpy()
