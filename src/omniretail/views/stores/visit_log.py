"""Visits to stores as they were known at a moment, and the visits that a forecast is judged on."""

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
"""Hours between which a part of the day lies: until 10, 14, 18 and midnight."""


@dataclass(frozen=True)
class Places:
    """Where customers live and stores stand.

    Attributes:
        home: NaN where not known; shape (U, 2).
        store: NaN where not known; shape (S, 2).
        axes: what the two numbers are, see ``policies.places.AXES``.
    """

    home: np.ndarray
    store: np.ndarray
    axes: tuple[str, ...]

    def km(self, row: np.ndarray, store: np.ndarray) -> np.ndarray:
        """As the crow flies, NaN where either place is not known; of the shape that both broadcast to."""
        home = np.where((row >= 0)[..., None], self.home[row], np.nan)
        return kilometres(home, self.store[store], self.axes)


@dataclass(frozen=True)
class StoreLog:
    """All that is known of where customers shop.

    Attributes:
        visits: of all customers, each one's oldest first; ``row`` is the user's number.
        n_users: of training users.
        n_stores: of stores that sold anything.
        at: the moment of which this is known, seconds since 1970.
        zone: in which hours and weekdays are told.
        places: None where they are not known.
        users: ids of the users; None where nobody needs them.
        stores: ids of the stores; None where nobody needs them.
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
        """What was known at an earlier moment."""
        return replace(self, visits=self.visits.keep(self.visits.timestamp < at), at=at)

    def windows(self, days: float, n: int, step_days: float) -> "Iterator[tuple[StoreLog, VisitQueries]]":
        """What was known when each of the last ``n`` windows began, beside the visits in it; empty ones are left out.

        Args:
            days: length of a window; the last one ends at the moment of this log.
            n: windows.
            step_days: between their starts.
        """
        for number in range(n):
            start = self.at - int((number * step_days + days) * DAY)
            past, visit_queries = self.before(start), self.visit_queries(start, start + int(days * DAY))
            if len(past.visits) and len(visit_queries):
                yield past, visit_queries

    def visit_queries(self, start: int, end: int) -> "VisitQueries":
        """The known visits in ``[start, end)``, as if they were still to be told."""
        made = self.visits.keep((self.visits.timestamp >= start) & (self.visits.timestamp < end))
        return VisitQueries(made, made.row)


@dataclass(frozen=True)
class VisitQueries:
    """Visits whose store is to be told; a store without a number is -1, and so is a customer.

    Attributes:
        visits: each customer's oldest first.
        who: the customer, the same for all visits of one, known or not; shape (V,).
    """

    visits: Visits
    who: np.ndarray

    def __len__(self) -> int:
        return len(self.visits)

    def keep(self, kept: np.ndarray) -> "VisitQueries":
        """Some of them; ``kept`` is a mask of shape (V,)."""
        return VisitQueries(self.visits.keep(kept), self.who[kept])

    def first(self) -> "VisitQueries":
        """Each customer's first one only."""
        return self.keep(np.append(True, self.who[1:] != self.who[:-1])[: len(self)])


def store_log(train: Train, stores: pd.DataFrame | None = None) -> StoreLog:
    """The visits of a training set.

    Args:
        train: with stores, and the customers' places in ``user_table`` where they are known.
        stores: ``store_id`` and the columns of a place, see ``policies.places.AXES``; None: places are not known.

    Raises:
        DataError: where it names no stores, or has no times.
    """
    if not len(train.stores):
        raise DataError("this log has no store_id, so nobody can be told to go to a store")
    if not train.zone:
        raise DataError("this data holds an order only; the next store is asked for in a window of time")
    made = visits(train.histories)
    sizes = len(train.users), len(train.stores)
    return StoreLog(made, *sizes, train.at, train.zone, _places(train, stores), train.users, train.stores)


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
        raise DataError("this log has no store_id, so no visit can be judged")
    known: ibis.Table = events.drop_null("store_id")
    baskets = known.group_by("user_id", "basket").agg(second=_.second.min(), store_id=_.store_id.min())
    frame: pd.DataFrame = baskets.order_by("user_id", "basket").to_pandas()
    if frame.empty:
        raise DataError("no visit to a store is held out; choose another split.horizon_days or split.end")
    row, store = users.encode(frame.user_id), stores.encode(frame.store_id)
    order = np.argsort(row, kind="stable")  # those not known first, by id
    made = Visits(row[order], store[order], frame.second.to_numpy(np.int64)[order])
    return VisitQueries(made, frame.user_id.to_numpy()[order])


def weekday_and_part(timestamp: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Local weekday (0 = Monday) and part of the day (0 to 3, see ``PARTS_OF_DAY``) of moments; both (V,).

    >>> weekday_and_part(np.array([0, 15 * 3600]), "UTC")
    (array([3, 3]), array([0, 2]))
    """
    local = pd.DatetimeIndex(pd.to_datetime(timestamp, unit="s", utc=True)).tz_convert(zone)
    return local.day_of_week.to_numpy().astype(np.int64), np.searchsorted(
        PARTS_OF_DAY, local.hour.to_numpy(), "right"
    ) - 1


def load_stage(tables: Tables, split: Split, stage: Stage, cache: Path) -> tuple[StoreLog, VisitQueries, Vocabulary]:
    """What is known at a stage's cutoff, the visits that are judged, and what numbers the stores.

    Raises:
        DataError: as ``store_log`` and ``held_out_visits``.
    """
    train = load_fold(tables, split, stage, cache).train
    log = store_log(train, None if tables.stores is None else tables.stores.to_pandas())
    return log, held_out_visits(split.cutoff(tables.events, stage), train.users, train.stores), train.stores
