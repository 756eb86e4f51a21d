"""Which stores are near enough, and which are open."""

import logging
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import DataError, SettingsError
from omniretail.policies.protocol import TableOrPath, table
from omniretail.views.histories import NO_TIME, Histories
from omniretail.views.stores.geo import axes_of, kilometres, placed
from omniretail.views.stores.visits import visits
from omniretail.views.train import Train

log = logging.getLogger(__name__)


@dataclass(eq=False)
class WithinDistance:
    """Stores within a distance of the customer's place may serve them.

    A customer's place is that in ``customers``; where there is none, the mean place of the stores that they visited,
    weighted by visits. A customer without a place is not limited, and a store without one may serve everybody.

    Args:
        km: straight-line distance, kilometres.
        stores: columns ``store_id`` and ``lat``, ``lon`` (degrees), or ``x``, ``y`` (or ``x_km``, ``y_km``; kilometres
            on a plane).
        customers: ``user_id`` and the same two columns; None: places come from visits alone.
    """

    km: float
    stores: TableOrPath
    customers: TableOrPath | None = None

    def __post_init__(self) -> None:
        at_least(self, "km")

    def fit(self, train: Train) -> Self:
        """See ``Reach``.

        Raises:
            DataError: where the table of stores has no places.
        """
        stores = table(self.stores, "stores", ["store_id"])
        self.axes_ = axes_of(stores)
        if not self.axes_:
            raise DataError("WithinDistance: the stores have no places; add the columns lat and lon, or x and y")
        self.at_ = placed(stores, "store_id", train.stores.ids, self.axes_)  # (S, 2)
        n_without = int(np.isnan(self.at_).any(axis=1).sum())
        if n_without:
            log.warning("%d of %d stores have no place and may serve everybody", n_without, len(self.at_))
        self.home_ = np.full((len(train.users), 2), np.nan)  # (U, 2)
        if self.customers is not None:
            customers = table(self.customers, "users", ("user_id", *self.axes_))
            self.home_ = placed(customers, "user_id", train.users.ids, self.axes_)
        return self

    def within(self, users: Histories) -> np.ndarray:
        """See ``Reach``."""
        home = self._homes(users)[:, None, :]  # (B, 1, 2)
        # NaN, the distance of a missing place, is not above km: missing data limits nothing
        return np.logical_not(kilometres(home, self.at_, self.axes_) > self.km)

    def unknown(self, users: Histories) -> np.ndarray:
        """True for customers without a place; shape (B,)."""
        return np.asarray(np.isnan(self._homes(users)).any(axis=1))

    def _homes(self, users: Histories) -> np.ndarray:
        """Places of customers; NaN where unknown; shape (B, 2)."""
        home = _mean_places(users, self.at_)
        in_training = users.user_idx >= 0
        address = self.home_[users.user_idx[in_training]]
        home[in_training] = np.where(np.isnan(address), home[in_training], address)
        return home


@dataclass(eq=False)
class OpenAt:
    """Stores that are open at a point in time may serve the customer; a store without hours counts as open.

    The time is that of the customer (``Histories.served_at``) where one is set.

    Args:
        hours: columns ``store_id``, ``weekday`` (0 = Monday), ``opens``, ``closes`` (``HH:MM``, local); several rows a
            day are fine, a weekday without one is closed, and where ``closes`` is not after ``opens`` the store closes
            on the next day.
        at: local time, ISO 8601; None: the cutoff, in the zone of the stores.
    """

    hours: TableOrPath
    at: str | None = None

    def fit(self, train: Train) -> Self:
        """See ``Reach``.

        Raises:
            SettingsError: where ``at`` is None and the data has an order but no times.
            DataError: where a time is not ``HH:MM``.
        """
        if self.at is None and not train.zone:
            raise SettingsError("OpenAt: this data has an order but no times; set at, such as at=2024-05-17T18:30")
        cutoff = pd.Timestamp(train.at, unit="s", tz="UTC")
        now = pd.Timestamp(self.at) if self.at is not None else cutoff.tz_convert(train.zone)
        hours = table(self.hours, "hours", ("store_id", "weekday", "opens", "closes"))
        self.minute_, self.zone_ = np.asarray(_minute_of_week(pd.DatetimeIndex([now]))[0]), np.array(train.zone or "")
        opens, closes = _minutes(hours.opens), _minutes(hours.closes)
        self.length_ = np.where(closes > opens, closes - opens, closes - opens + 1440)  # (H,)
        self.begins_ = hours.weekday.to_numpy(np.int64) * 1440 + opens  # (H,)
        self.store_ = train.stores.encode(hours.store_id)  # (H,)
        self.n_stores_ = len(train.stores)
        return self

    def within(self, users: Histories) -> np.ndarray:
        """See ``Reach``; a customer who is served at a time of their own finds what is open then."""
        minutes, timed = np.full(len(users), self.minute_), users.served_at != NO_TIME
        if timed.any():
            times = pd.to_datetime(users.served_at[timed], unit="s", utc=True)
            minutes[timed] = _minute_of_week(times.tz_convert(str(self.zone_) or "UTC"))
        distinct, which = np.unique(minutes, return_inverse=True)
        return np.array([self._open(minute) for minute in distinct]).reshape(-1, self.n_stores_)[which]

    def _open(self, minute: int) -> np.ndarray:
        """True where a store is open at a minute of the week, or its hours are unknown; shape (S,)."""
        now_open = (minute - self.begins_) % (7 * 1440) < self.length_
        every = np.arange(self.n_stores_)
        return np.isin(every, self.store_[now_open]) | ~np.isin(every, self.store_)


def _minute_of_week(local: pd.DatetimeIndex) -> np.ndarray:
    return (local.day_of_week * 1440 + local.hour * 60 + local.minute).to_numpy(np.int64)


def _mean_places(users: Histories, places: np.ndarray) -> np.ndarray:
    """Mean place of the stores that each customer visited; NaN where there is none; shape (B, 2)."""
    own = visits(users)
    own = own.keep(np.asarray(np.isfinite(places[own.store]).all(axis=1)))
    count = np.bincount(own.row, minlength=len(users)).astype(np.float64)
    count[count == 0] = np.nan
    sums = [np.bincount(own.row, weights=places[own.store, axis], minlength=len(users)) for axis in (0, 1)]
    return np.column_stack(sums) / count[:, None]


def _minutes(times: pd.Series) -> np.ndarray:
    """``HH:MM`` as minutes since midnight; ``24:00`` is the day's end."""
    parts = times.astype(str).str.extract(r"^(\d{1,2}):([0-5]\d)$").astype(np.float64).to_numpy()
    minutes = parts @ [60, 1]
    broken = np.flatnonzero(np.logical_not(minutes <= 1440))
    if len(broken):
        raise DataError(f"opening hours: {times.to_numpy()[broken[0]]!r} must be a time of the form HH:MM")
    return minutes.astype(np.int64)
