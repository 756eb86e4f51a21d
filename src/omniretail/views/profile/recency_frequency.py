"""Recency and frequency: what models of lifetime value know of a customer. Ibis, so DuckDB here, Spark on a cluster."""

from datetime import datetime, timedelta
from typing import Any

import ibis
from ibis import _

WEEK = 7.0
"""Days in a week, the unit in which the papers count."""
_EXACT = "decimal(38, 4)"  # sums of floats depend on who adds first


# The inverse of sources.clock.to_utc; ibis's own cast to a zone would read the clock in the session's zone.
@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def _instant(zone: Any, utc: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _reading(zone: Any, instant: Any) -> Any: ...


def recency_frequency(events: ibis.Table, at: datetime, unit_days: float = WEEK, zone: str = "UTC") -> ibis.Table:
    """A row per customer who bought before a moment, a function of the purchases before it only.

    All is counted in days of the customers' own calendar, and what was bought on one day is one transaction, as Fader,
    Hardie and Lee do ("Counting your customers the easy way", Marketing Science 2005). The age reaches until the last
    day that was seen whole or in part; for a cut at midnight that is the day before.

    Args:
        events: canonical.
        at: the cutoff, UTC without a zone.
        unit_days: length of the unit of time, in days.
        zone: of the customers' calendar (IANA name).

    Returns:
        ``user_id``; ``frequency``, repeat purchase days x; ``recency``, time from the first to the last of them t_x;
        ``age``, time from the first until the cutoff T; ``mean_value``, currency per repeat transaction, null where
        there is none or the events tell no value.
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
    """What each customer bought: ``user_id``, ``purchases`` (days with one) and ``value`` (currency)."""
    days = purchase_days(events, zone)
    return days.group_by("user_id").agg(purchases=_.count(), value=_.value.sum().cast("float64"))


def purchase_days(events: ibis.Table, zone: str = "UTC") -> ibis.Table:
    """Purchases with those of a customer and a day merged: ``user_id``, ``day``, ``value`` (a decimal)."""
    value: Any = _.value if "value" in events.columns else ibis.null("float64")
    exact = value.cast(_EXACT)
    bought = events.filter(_.event_type == "purchase").select("user_id", day=_day(_.timestamp, zone), value=exact)
    return bought.group_by("user_id", "day").agg(value=_.value.sum())


def _day(moment: Any, zone: str) -> Any:
    local: Any = moment if zone == "UTC" else _reading(zone, _instant("UTC", moment))
    return local.date()


def _days(start: Any, end: Any) -> Any:
    """Whole days between two dates."""
    return end.delta(start, unit="day").cast("float64")
