"""Visits to stores as they were known at a moment, and the visits that a forecast is judged on."""

from dataclasses import dataclass, replace

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.ids import Vocabulary
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff
from omniretail.views.fold import with_baskets
from omniretail.views.train import Train
from omniretail.views.visits import Visits, visits

DAY = 86400
PARTS_OF_DAY = (0, 10, 14, 18, 24)
"""Hours between which a part of the day lies: until 10, 14, 18 and midnight."""


@dataclass(frozen=True)
class StoreLog:
    """All that is known of where customers shop.

    Attributes:
        visits: of all customers, each one's oldest first; ``row`` is the user's number.
        n_users: of training users.
        n_stores: of stores that sold anything.
        at: the moment of which this is known, seconds since 1970.
        zone: in which hours and weekdays are told.
    """

    visits: Visits
    n_users: int
    n_stores: int
    at: int
    zone: str

    def before(self, at: int) -> "StoreLog":
        """What was known at an earlier moment."""
        return replace(self, visits=self.visits.keep(self.visits.timestamp < at), at=at)

    def asked(self, start: int, end: int) -> "Asked":
        """The known visits in ``[start, end)``, as if they were still to be told."""
        return Asked(self.visits.keep((self.visits.timestamp >= start) & (self.visits.timestamp < end)))


@dataclass(frozen=True)
class Asked:
    """Visits whose store is to be told; a store without a number is -1, and so is a customer.

    Attributes:
        visits: each customer's oldest first.
    """

    visits: Visits

    def first(self) -> "Asked":
        """Each customer's first one only."""
        return Asked(self.visits.keep(np.append(True, self.visits.row[1:] != self.visits.row[:-1])))


def store_log(train: Train) -> StoreLog:
    """The visits of a training set.

    Raises:
        DataError: where it names no stores, or has no times.
    """
    if not len(train.stores):
        raise DataError("this log has no store_id, so nobody can be told to go to a store")
    if not train.zone:
        raise DataError("this data holds an order only; the next store is asked for in a window of time")
    return StoreLog(visits(train.histories), len(train.users), len(train.stores), train.at, train.zone)


def held_out_visits(cutoff: Cutoff, users: Vocabulary, stores: Vocabulary) -> Asked:
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
    order = np.argsort(row, kind="stable")
    return Asked(Visits(row[order], store[order], frame.second.to_numpy(np.int64)[order]))


def weekday_and_part(timestamp: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Local weekday (0 = Monday) and part of the day (0 to 3, see ``PARTS_OF_DAY``) of moments; both (V,).

    >>> weekday_and_part(np.array([0, 15 * 3600]), "UTC")
    (array([3, 3]), array([0, 2]))
    """
    local = pd.DatetimeIndex(pd.to_datetime(timestamp, unit="s", utc=True)).tz_convert(zone)
    return local.day_of_week.to_numpy().astype(np.int64), np.searchsorted(
        PARTS_OF_DAY, local.hour.to_numpy(), "right"
    ) - 1
