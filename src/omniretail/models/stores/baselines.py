"""Which store next, told from one number: the last one, the most frequent one, the usual one at this time."""

from typing import Protocol, Self

import numpy as np

from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries, weekday_and_part
from omniretail.views.stores.visits import Visits


class StoreModel(Protocol):
    """Says which store a customer visits next.

    A constructor takes the hyper-parameters as plain keyword arguments.
    """

    def fit(self, log: StoreLog) -> Self:
        """Learn from what is known at the moment of the log."""
        ...

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """Higher is likelier.

        Args:
            asked: Q visits, of which only the customers and, where ``timed``, the moments may be looked at.
            timed: whether the moment of the visit is given.

        Returns:
            float32; shape (Q, S). A customer without a known visit is sent where most go.
        """
        ...


class PopularStore:
    """Where most visits went in the last days, the same for everybody.

    Args:
        days: that count.
    """

    def __init__(self, days: float = 28) -> None:
        self.days = days

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        recent = log.visits.timestamp >= log.at - self.days * DAY
        counts = np.bincount(log.visits.store[recent], minlength=log.n_stores)
        ever = np.bincount(log.visits.store, minlength=log.n_stores)
        whole = counts + ever / (ever.sum() + 1)
        self.popularity_ = whole / (whole.sum() + 1)  # below 1 in all: any visit of one's own outweighs it; (S,)
        return self

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        return np.tile(self.popularity_.astype(np.float32), (len(asked.visits), 1))


class LastStore:
    """The store of the last visit, then the one visited before it, and so on."""

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.popular_ = PopularStore().fit(log)
        made = log.visits
        nth = np.arange(len(made)) - np.searchsorted(made.row, made.row)  # of the customer's visits, from 0
        self.latest_ = np.zeros((log.n_users, log.n_stores), dtype=np.float32)
        np.maximum.at(self.latest_, (made.row, made.store), nth + 1)
        return self

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        return _of(self.latest_, asked.visits) + self.popular_.score(asked, timed)


class MostFrequentStore:
    """The store with most visits, each weighing ``0.5 ** (its age / half_life_days)``.

    Args:
        half_life_days: None: old visits count like new ones.
    """

    def __init__(self, half_life_days: float | None = None) -> None:
        self.half_life_days = half_life_days

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.popular_ = PopularStore().fit(log)
        self.counts_ = counts(log, self.half_life_days)
        return self

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        smallest = 1e-6  # so that a visit long faded still counts before strangers' stores
        own = _of(self.counts_, asked.visits)
        return own + smallest * (self.popular_.score(asked, timed) + (own > 0))


class TimeOfWeekStore:
    """The store with most visits on this weekday and at this part of the day; where it is unknown, most frequent.

    Visits on the weekday or at the part of the day alone count a little, all others less: cells of one customer are
    nearly empty.

    Args:
        weekday: weight of a visit on the same weekday.
        part: weight of a visit at the same part of the day.
        both: further weight of a visit at both.
        half_life_days: by which visits fade; None: old visits count like new ones.
    """

    def __init__(
        self, weekday: float = 1.0, part: float = 1.0, both: float = 2.0, half_life_days: float | None = None
    ) -> None:
        self.weekday = weekday
        self.part = part
        self.both = both
        self.half_life_days = half_life_days

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.frequent_ = MostFrequentStore(self.half_life_days).fit(log)
        self.log_ = log
        return self

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        scores = self.frequent_.score(asked, timed)
        if not timed:
            return scores
        made, zone = self.log_.visits, self.log_.zone
        day, part = weekday_and_part(made.timestamp, zone)
        asked_day, asked_part = weekday_and_part(asked.visits.timestamp, zone)
        question, visit = pairs_of(asked.visits.row, made.row, self.log_.n_users)
        same_day, same_part = day[visit] == asked_day[question], part[visit] == asked_part[question]
        weight = self.weekday * same_day + self.part * same_part + self.both * (same_day & same_part)
        weight = weight * decayed(self.log_, self.half_life_days)[visit]
        np.add.at(scores, (question, made.store[visit]), weight.astype(np.float32))
        return scores


def counts(log: StoreLog, half_life_days: float | None = None) -> np.ndarray:
    """Visits of each customer to each store, faded by age; float32, shape (U, S)."""
    made = log.visits
    cell = made.row.astype(np.int64) * log.n_stores + made.store
    flat = np.bincount(cell, weights=decayed(log, half_life_days), minlength=log.n_users * log.n_stores)
    return flat.reshape(log.n_users, log.n_stores).astype(np.float32)


def decayed(log: StoreLog, half_life_days: float | None) -> np.ndarray:
    """What each visit weighs; shape (V,).

    Raises:
        ValueError: where the half-life is not above 0.
    """
    if half_life_days is None:
        return np.ones(len(log.visits))
    if not half_life_days > 0:
        raise ValueError(f"half_life_days={half_life_days} must be above 0, or null for visits that do not fade")
    return 0.5 ** ((log.at - log.visits.timestamp) / DAY / half_life_days)


def pairs_of(asked_row: np.ndarray, row: np.ndarray, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """Every question beside every entry of its customer.

    Args:
        asked_row: customers of the questions, -1 where not known; shape (Q,).
        row: customers of the entries, ascending; shape (V,).
        n_users: of all customers.

    Returns:
        Positions of questions, ascending, and of entries; both (P,).

    >>> pairs_of(np.array([1, 0, -1]), np.array([0, 1, 1]), n_users=2)
    (array([0, 0, 1]), array([1, 2, 0]))
    """
    start = np.searchsorted(row, np.arange(n_users + 1))
    lengths = np.where(asked_row >= 0, np.diff(start)[asked_row], 0)
    question = np.repeat(np.arange(len(asked_row)), lengths)
    within = np.arange(len(question)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return question, start[asked_row[question]] + within


def _of(by_user: np.ndarray, asked: Visits) -> np.ndarray:
    """The customers' rows, zero where a customer is not known; a copy; shape (Q, S)."""
    return np.where((asked.row >= 0)[:, None], by_user[asked.row], 0).astype(np.float32)
