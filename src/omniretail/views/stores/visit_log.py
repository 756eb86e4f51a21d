"""Visits to stores before a time, and later visits whose store is to be predicted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.ids import Vocabulary
from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Cutoff, Split, Stage
from omniretail.views.cached import load_fold
from omniretail.views.fold import with_baskets
from omniretail.views.stores.geo import axes_of, kilometres, placed
from omniretail.views.stores.visits import Visits, visits
from omniretail.views.train import Train

DAY = 86400
PARTS_OF_DAY = (0, 10, 14, 18, 24)
"""Hours at which the parts of the day begin and end: until 10, 14, 18 and midnight."""


@dataclass(frozen=True)
class Places:
    """Where customers live and stores stand.

    Attributes:
        home: NaN where unknown; shape (U, 2).
        store: NaN where unknown; shape (S, 2).
        axes: names of the two coordinates, see ``views.stores.geo.AXES``.
    """

    home: np.ndarray
    store: np.ndarray
    axes: tuple[str, ...]

    def km(self, row: np.ndarray, store: np.ndarray) -> np.ndarray:
        """Straight-line distance, NaN where either place is unknown; of the shape that both broadcast to."""
        home = np.where((row >= 0)[..., None], self.home[row], np.nan)
        return kilometres(home, self.store[store], self.axes)


@dataclass(frozen=True)
class StoreLog:
    """Visits of all customers before a time.

    Attributes:
        visits: each customer's oldest first; ``row`` is the index of the user.
        n_users: number of training users.
        n_stores: number of stores with events.
        at: the time, seconds since 1970.
        zone: IANA name of the time zone of hours and weekdays.
        places: of customers and stores; None where unknown.
        users: vocabulary of the users; None where ids are not needed.
        stores: vocabulary of the stores; None where ids are not needed.
    """

    visits: Visits
    n_users: int
    n_stores: int
    at: int
    zone: str
    places: Places | None = None
    users: Vocabulary | None = None
    stores: Vocabulary | None = None

    def before(self, at: int) -> "StoreLog":
        """The log as of an earlier time."""
        return replace(self, visits=self.visits.keep(self.visits.timestamp < at), at=at)

    def windows(self, days: float, n: int, step_days: float) -> "Iterator[tuple[StoreLog, VisitQueries]]":
        """Each of the last ``n`` windows as the log at its start and the visits in it; empty ones are left out.

        Args:
            days: length of a window; the last one ends at the time of this log.
            n: number of windows.
            step_days: days between their starts.
        """
        for number in range(n):
            start = self.at - int((number * step_days + days) * DAY)
            past, visit_queries = self.before(start), self.visit_queries(start, start + int(days * DAY))
            if len(past.visits) and len(visit_queries):
                yield past, visit_queries

    def visit_queries(self, start: int, end: int) -> "VisitQueries":
        """The visits in ``[start, end)`` as queries."""
        inside = self.visits.keep((self.visits.timestamp >= start) & (self.visits.timestamp < end))
        return VisitQueries(inside, inside.row)


@dataclass(frozen=True)
class VisitQueries:
    """Visits whose store is to be predicted; stores and customers that the log lacks are -1.

    Attributes:
        visits: each customer's oldest first.
        who: raw id or index of the customer, equal for all visits of one; shape (V,).
    """

    visits: Visits
    who: np.ndarray

    def __len__(self) -> int:
        return len(self.visits)

    def keep(self, mask: np.ndarray) -> "VisitQueries":
        """The visits where ``mask`` is True; shape of the mask (V,)."""
        return VisitQueries(self.visits.keep(mask), self.who[mask])

    def first(self) -> "VisitQueries":
        """Each customer's first visit."""
        return self.keep(np.append(True, self.who[1:] != self.who[:-1])[: len(self)])


def store_log(train: Train, stores: pd.DataFrame | None = None) -> StoreLog:
    """The visits of a training set.

    Args:
        train: with stores; ``user_table`` may have the customers' places.
        stores: ``store_id`` and the columns of a place, see ``views.stores.geo.AXES``; None: no places.

    Raises:
        DataError: where it has no stores, or no times.
    """
    if not len(train.stores):
        raise DataError("this log has no store_id, so there are no stores to predict: choose another source")
    if not train.zone:
        raise DataError("this data has an order of events but no times, which store models need: choose another source")
    sizes = len(train.users), len(train.stores)
    places = _places(train, stores)
    return StoreLog(visits(train.histories), *sizes, train.at, train.zone, places, train.users, train.stores)


def _places(train: Train, stores: pd.DataFrame | None) -> Places | None:
    axes = () if stores is None else axes_of(stores)
    if stores is None or not axes or train.user_table is None or not set(axes) <= set(train.user_table):
        return None
    home = placed(train.user_table, "user_id", train.users.ids, axes)
    return Places(home, placed(stores, "store_id", train.stores.ids, axes), axes)


def held_out_visits(cutoff: Cutoff, users: Vocabulary, stores: Vocabulary) -> VisitQueries:
    """The visits that a cutoff holds out, one per basket with a store.

    Raises:
        DataError: where there is none.
    """
    events = with_baskets(cutoff.held_out)
    if "store_id" not in events.columns:
        raise DataError("this log has no store_id, so no visit can be judged: choose another source")
    in_store: ibis.Table = events.drop_null("store_id")
    baskets = in_store.group_by("user_id", "basket").agg(second=_.second.min(), store_id=_.store_id.min())
    frame: pd.DataFrame = baskets.order_by("user_id", "basket").to_pandas()
    if frame.empty:
        raise DataError("no visit to a store is held out; choose another split.horizon_days or split.end")
    row, store = users.encode(frame.user_id), stores.encode(frame.store_id)
    order = np.argsort(row, kind="stable")  # unknown customers first, by id
    held_out = Visits(row[order], store[order], frame.second.to_numpy(np.int64)[order])
    return VisitQueries(held_out, frame.user_id.to_numpy()[order])


def weekday_and_part(timestamp: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Local weekday (0 = Monday) and part of the day (0 to 3, see ``PARTS_OF_DAY``) of times; both (V,).

    >>> weekday_and_part(np.array([0, 15 * 3600]), "UTC")
    (array([3, 3]), array([0, 2]))
    """
    local = pd.DatetimeIndex(pd.to_datetime(timestamp, unit="s", utc=True)).tz_convert(zone)
    return local.day_of_week.to_numpy().astype(np.int64), np.searchsorted(
        PARTS_OF_DAY, local.hour.to_numpy(), "right"
    ) - 1


def load_stage(tables: Tables, split: Split, stage: Stage, cache: Path) -> tuple[StoreLog, VisitQueries, Vocabulary]:
    """The log at a stage's cutoff, the visits that are judged, and the vocabulary of the stores.

    Raises:
        DataError: as ``store_log`` and ``held_out_visits``.
    """
    train = load_fold(tables, split, stage, cache).train
    log = store_log(train, None if tables.stores is None else tables.stores.to_pandas())
    return log, held_out_visits(split.cutoff(tables.feedback, stage), train.users, train.stores), train.stores
