"""When customers visit: by weekday, by hour, and in four-week periods."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.views.histories import Histories
from omniretail.views.profile.dictionary import WEEKDAYS
from omniretail.views.train import Train

MONTHS = 13
_MONTH_S = 28 * 24 * 3600


@dataclass(frozen=True)
class Columns:
    """A chart of columns, each beside the mean of all customers.

    Attributes:
        title: of the chart.
        labels: under the columns.
        own: of the customers described.
        everybody: of all customers, the mean.
        unit: ``share`` or ``count`` or a currency.
    """

    title: str
    labels: tuple[str, ...]
    own: tuple[float, ...]
    everybody: tuple[float, ...]
    unit: str


def rhythm(train: Train, users: Histories) -> list[Columns]:
    """Shares of visits by weekday and by hour, in the customers' time zone; every customer has equal weight."""
    days = tuple(day.capitalize()[:2] for day in WEEKDAYS)
    hours = tuple(str(hour) for hour in range(24))
    charts = []
    for title, labels, part in (("Weekday", days, "day_of_week"), ("Hour of the day", hours, "hour")):
        own, all_ = (_by_clock(each, train.zone, part, len(labels)) for each in (users, train.histories))
        charts.append(Columns(title, labels, tuple(own.tolist()), tuple(all_.tolist()), "share"))
    return charts


def trend(train: Train, users: Histories, currency: str) -> Columns:
    """Spend, or visits where there are no prices, per customer in each 28 days before the cutoff."""
    paid = bool(np.isfinite(train.histories.value).any())
    own, all_ = (_by_month(each, train.at, paid) for each in (users, train.histories))
    months = _months(train)
    last = pd.to_datetime([train.at - _MONTH_S * k for k in range(1, months + 1)], unit="s", utc=True)
    labels = tuple(f"{start.tz_convert(train.zone):%d %b}" for start in last)[::-1]
    title = "Paid in each four weeks" if paid else "Visits in each four weeks"
    unit = (currency or "currency") if paid else "count"
    segment, everybody = (tuple(each[:months][::-1].tolist()) for each in (own, all_))
    return Columns(title, labels, segment, everybody, unit)


def _months(train: Train) -> int:
    """Number of whole four-week periods in the data, at least one."""
    return int(np.clip((train.at - train.histories.timestamp.min()) // _MONTH_S, 1, MONTHS))


def _by_clock(users: Histories, zone: str, part: str, n: int) -> np.ndarray:
    row, second = _visits(users)
    clock = pd.DatetimeIndex(pd.to_datetime(second, unit="s", utc=True)).tz_convert(zone)
    place = np.asarray(getattr(clock, part))
    weight = 1.0 / np.bincount(row, minlength=len(users))[row]
    return np.bincount(place, weights=weight, minlength=n) / max(len(np.unique(row)), 1)


def _by_month(users: Histories, at: int, paid: bool) -> np.ndarray:
    """Per customer, the newest month first; shape (MONTHS,)."""
    second = users.timestamp if paid else _visits(users)[1]
    weight = np.nan_to_num(users.value.astype(float)) if paid else np.ones(len(second))
    month = (at - 1 - second) // _MONTH_S
    inside = month < MONTHS
    return np.bincount(month[inside], weights=weight[inside], minlength=MONTHS) / max(len(users), 1)


def _visits(users: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Row and first second of each visit; shape (visits,) each."""
    rows, baskets = users.rows, users.basket
    first = np.flatnonzero(np.diff(rows, prepend=-1) | np.diff(baskets, prepend=-1))
    return rows[first], users.timestamp[first]
