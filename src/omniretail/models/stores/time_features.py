"""What the moment of a visit says of its store: the hours and weekdays at which a customer goes where."""

import numpy as np
import pandas as pd

from omniretail.models.stores.baselines import decayed, pairs_of
from omniretail.models.stores.candidates import StoreCandidates
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries

_HALF_LIFE, _HOURS, _DRAWN = 112.0, 1.5, 2.0
_KINDS = 48  # weekday or weekend, by hour


def clock_features(log: StoreLog, told: StoreCandidates, asked: VisitQueries) -> np.ndarray:
    """For each question and candidate: shares of like visits, the store's own hours, and how far ahead it is.

    Shares count visits by how near their hour is, by weekday, by weekend, and by two of these at once; they are drawn
    to the customer's shares at any time as if ``_DRAWN`` visits more had been like them.

    Args:
        log: visits before ``log.at``.
        told: of that log.
        asked: Q visits, of which customers and moments are looked at.

    Returns:
        float32; shape (Q, K, F).
    """
    made = log.visits
    question, visit = pairs_of(asked.visits.row, made.row, log.n_users)
    day, hour = _day_and_hour(made.timestamp, log.zone)
    asked_day, asked_hour = _day_and_hour(asked.visits.timestamp, log.zone)
    apart = np.abs(hour[visit] - asked_hour[question])
    near = np.exp(-0.5 * (np.minimum(apart, 24 - apart) / _HOURS) ** 2)
    same_day = day[visit] == asked_day[question]
    same_part = (day[visit] >= 5) == (asked_day[question] >= 5)
    weight, shape = decayed(log, _HALF_LIFE)[visit], (len(asked), told.store.shape[1])
    cell = question * shape[1] + told.column[visit]
    inside = told.column[visit] >= 0

    def summed(like: np.ndarray) -> np.ndarray:
        return np.bincount(cell[inside], (weight * like)[inside], shape[0] * shape[1]).reshape(shape)

    usual = summed(np.ones(len(visit)))
    usual /= np.maximum(usual.sum(axis=1, keepdims=True), 1e-9)
    kinds = (near, same_day, same_part, near * same_part, near * same_day)
    counts = [summed(like) for like in kinds]
    shares = [(each + _DRAWN * usual) / (each.sum(axis=1, keepdims=True) + _DRAWN) for each in counts]
    kind = _kind(asked_day, asked_hour)
    busy = _busy(log, day, hour)[told.store[asked.visits.row], kind[:, None]]
    ahead = np.repeat(((asked.visits.timestamp - log.at) / DAY)[:, None], shape[1], axis=1)
    return np.stack([*shares, busy, ahead], axis=2).astype(np.float32)


def _busy(log: StoreLog, day: np.ndarray, hour: np.ndarray) -> np.ndarray:
    """Log of how much more of a store's visits than of all visits fall into each kind of hour; shape (S, kinds)."""
    cell = log.visits.store.astype(np.int64) * _KINDS + _kind(day, hour)
    counts = np.bincount(cell, minlength=log.n_stores * _KINDS).reshape(log.n_stores, _KINDS)
    usual = (counts.sum(axis=0) + 1) / (counts.sum() + _KINDS)
    return np.log((counts + 200 * usual) / (counts.sum(axis=1, keepdims=True) + 200) / usual)


def _kind(day: np.ndarray, hour: np.ndarray) -> np.ndarray:
    return (day >= 5) * 24 + hour.astype(np.int64)


def _day_and_hour(timestamp: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Local weekday, 0 = Monday, and hour with its fraction."""
    local = pd.DatetimeIndex(pd.to_datetime(timestamp, unit="s", utc=True)).tz_convert(zone)
    return local.day_of_week.to_numpy(), (local.hour + local.minute / 60).to_numpy()
