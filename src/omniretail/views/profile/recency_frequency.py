"""Recency and frequency of customers: inputs of models of lifetime value. Ibis: DuckDB here, Spark on a cluster."""

from datetime import datetime, timedelta
from typing import Any

import ibis
from ibis import _

from omniretail.core.timezones import local_clock

WEEK = 7.0
"""Days in a week, the unit in which the papers count."""
_EXACT = "decimal(38, 4)"  # sums of floats depend on the order of addition


def recency_frequency(events: ibis.Table, at: datetime, unit_days: float = WEEK, zone: str = "UTC") -> ibis.Table:
    """A row per customer who bought before the cutoff, a function of the purchases before it only.

    Times are days of the customers' own calendar, and all purchases of a day are one transaction, as in Fader, Hardie
    and Lee, "Counting your customers the easy way", Marketing Science 2005. The age ends with the last day that begins
    before the cutoff; for a cutoff at midnight that is the day before.

    Args:
        events: purchases, canonical.
        at: the cutoff, UTC without a zone.
        unit_days: length of the unit of time, in days.
        zone: of the customers' calendar (IANA name).

    Returns:
        ``user_id``; ``frequency``, repeat purchase days x; ``recency``, time from the first to the last of them t_x;
        ``age``, time from the first until the cutoff T; ``mean_value``, currency per repeat transaction, null where
        there is none or the events have no value.
    """
    days = purchase_days(events.filter(_.timestamp < at), zone)
    last_seen = ibis.literal(at - timedelta(microseconds=1)).cast("timestamp")
    seen = days.mutate(first=_.day.min().over(group_by="user_id"), until=_day(last_seen, zone))
    customers = seen.group_by("user_id", "first", "until").agg(
        frequency=_.count() - 1,
        last=_.day.max(),
        repeat_value=_.value.sum(where=_.day > _.first).cast("float64"),
    )
    return customers.select(
        "user_id",
        "frequency",
        recency=_days(_.first, _.last) / unit_days,
        age=_days(_.first, _.until) / unit_days,
        mean_value=_.repeat_value / _.frequency.nullif(0),
    )


def purchases(events: ibis.Table, zone: str = "UTC") -> ibis.Table:
    """Purchases of each customer: ``user_id``, ``purchases`` (days with one) and ``value`` (currency)."""
    days = purchase_days(events, zone)
    return days.group_by("user_id").agg(purchases=_.count(), value=_.value.sum().cast("float64"))


def purchase_days(events: ibis.Table, zone: str = "UTC") -> ibis.Table:
    """Purchases of a customer on a day as one row: ``user_id``, ``day``, ``value`` (a decimal)."""
    value: Any = _.value if "value" in events.columns else ibis.null("float64")
    exact = value.cast(_EXACT)
    bought = events.select("user_id", day=_day(_.timestamp, zone), value=exact)
    return bought.group_by("user_id", "day").agg(value=_.value.sum())


def _day(utc: Any, zone: str) -> Any:
    return local_clock(utc, zone).date()


def _days(start: Any, end: Any) -> Any:
    """Whole days between two dates."""
    return end.delta(start, unit="day").cast("float64")
