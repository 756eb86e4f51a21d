"""Facts about the events of a dataset: counts, ranges, repeats, ties, gaps, and rows that look suspicious."""

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.core.timezones import local_clock
from omniretail.schema import Tables

_NOT_A_PRODUCT = (
    r"(?i)^(post(age)?|porto|dot|m|d|s|b|c\d?|cruk|manual|adjust\w*|amazon ?fee|bank ?charges|discount|samples?|"
    r"test\d*|gift\w*|voucher|shipping|delivery|freight|fee|rounding|pads|运费|邮费)$"
)
_ODD_PRICES = 0.5
_MANY_EVENTS = 0.01
_NIGHT, _NIGHT_HOURS, _QUIET, _MARGIN = 1, 5, 0.05, 0.02
_ZONES = {
    -8: "America/Los_Angeles",
    -7: "America/Denver",
    -6: "America/Chicago",
    -5: "America/New_York",
    -4: "America/Santiago",
    -3: "America/Sao_Paulo",
    1: "Europe/Berlin",
    2: "Europe/Helsinki",
    3: "Europe/Istanbul",
    4: "Asia/Dubai",
    5: "Asia/Karachi",
    6: "Asia/Kolkata",
    7: "Asia/Bangkok",
    8: "Asia/Shanghai",
    9: "Asia/Tokyo",
    10: "Australia/Sydney",
    12: "Pacific/Auckland",
}
"""Hours ahead of UTC in winter -> a zone of many customers."""


def totals(tables: Tables) -> dict[str, Any]:
    """Counts of the events; their first and last time and the share of midnights, in the customers' zone."""
    events = _on_local_clocks(tables)
    row = events.agg(
        events=_.count(),
        users=_.user_id.nunique(),
        items=_.item_id.nunique(),
        first=_.timestamp.min(),
        last=_.timestamp.max(),
        midnights=(~_has_hour(events.timestamp)).mean(),
        **({"stores": _.store_id.nunique()} if "store_id" in events.columns else {}),
    )
    facts = row.to_pandas().iloc[0].to_dict()
    facts["days"] = (facts["last"] - facts["first"]).days + 1
    return facts


def by_event_type(tables: Tables) -> pd.DataFrame:
    """Event types with their signals: ``event_type, signal, channel, events, users, value``."""
    value = {"value": _.value.sum()} if "value" in tables.events.columns else {}
    counted = tables.events.group_by("event_type", "channel").agg(events=_.count(), users=_.user_id.nunique(), **value)
    frame = counted.order_by(_.events.desc()).to_pandas()
    frame.insert(1, "signal", [tables.signals.signal(each) for each in frame.event_type])
    return frame


def columns(tables: Tables) -> pd.DataFrame:
    """Each column of the events: ``column, missing`` (a share), ``different`` (values), ``lowest, highest``."""
    events = tables.events
    facts: dict[str, Any] = {"n": events.count()}
    for place, name in enumerate(events.columns):
        column: Any = events[name]
        facts |= {f"present {place}": column.count(), f"different {place}": column.nunique()}
        ends = not column.type().is_boolean()
        facts |= {f"lowest {place}": column.min(), f"highest {place}": column.max()} if ends else {}
    row = events.agg(**facts).to_pandas().iloc[0]
    rows = [
        (
            *(name, 1 - row[f"present {place}"] / row["n"], int(row[f"different {place}"])),
            *(str(row.get(f"{end} {place}", "")) for end in ("lowest", "highest")),
        )
        for place, name in enumerate(events.columns)
    ]
    return pd.DataFrame(rows, columns=["column", "missing", "different", "lowest", "highest"])


def habits(tables: Tables) -> dict[str, float]:
    """Shares that decide which protocol and which models fit.

    Returns:
        ``events_per_user`` (median), ``one_event`` (share of users), ``repeats`` (share of events whose user had the
        item before), ``ties`` (share of users with several events at their last time).
    """
    events: Any = tables.feedback
    users: Any = events.group_by("user_id").agg(n=_.count(), last=_.timestamp.max())
    pairs: Any = events.group_by("user_id", "item_id").agg(n=_.timestamp.nunique())
    last = events.inner_join(users.select("user_id", "last"), "user_id").filter(_.timestamp == _["last"])
    tied = last.group_by("user_id").agg(items=_.item_id.nunique())
    return {
        "events_per_user": float(users.n.median().to_pyarrow().as_py()),
        "one_event": float((users.n == 1).mean().to_pyarrow().as_py()),
        "repeats": float(pairs.agg(share=1 - _.count() / _.n.sum()).to_pyarrow()["share"][0].as_py()),
        "ties": float((tied["items"] > 1).mean().to_pyarrow().as_py()),
    }


def per_day(tables: Tables) -> pd.Series:
    """Events of each day of the customers' zone, 0 on days without any; empty where the log has no dates."""
    if not tables.card.clock:
        return pd.Series(dtype=int)
    events = _on_local_clocks(tables)
    counted = events.group_by(day=events.timestamp.date()).agg(n=_.count()).to_pandas().set_index("day").n.sort_index()
    counted.index = pd.to_datetime(counted.index)
    return counted.asfreq("D", fill_value=0)


def per_hour(tables: Tables) -> pd.Series:
    """Share of the events in each hour of the customers' zone, of those that have a time of day."""
    events = _on_local_clocks(tables)
    timed = events.filter(_has_hour(events.timestamp))
    counted = timed.group_by(hour=timed.timestamp.hour()).agg(n=_.count()).to_pandas().set_index("hour").n
    return counted.reindex(range(24), fill_value=0) / max(counted.sum(), 1)


def _on_local_clocks(tables: Tables) -> Any:
    """The events with times as the customers' clocks show them."""
    events: Any = tables.events
    return events.mutate(timestamp=local_clock(events.timestamp, tables.card.zone)) if tables.card.clock else events


def _has_hour(local: Any) -> Any:
    return local.hour() + local.minute() + local.second() > 0


def guessed_zone(hours: pd.Series, zone: str) -> str | None:
    """The zone in which the log has the quiet hours of a night, for times that are read in another one.

    Shops are quietest from one to six. A log says by how many hours its clock is off, not where its customers are: the
    zone is one of several with that clock.

    Args:
        hours: share of events per hour, from ``per_hour``; shape (24,).
        zone: in which the hours are.

    Returns:
        None where the quiet hours are at night already, or no six hours are clearly quieter than the others.
    """
    shares = np.append(hours.to_numpy(float), hours.to_numpy(float))
    quiet = np.array([shares[first : first + _NIGHT_HOURS].sum() for first in range(24)])
    lowest = np.flatnonzero(quiet <= quiet.min() + _MARGIN / 2)
    middle = float(np.angle(np.exp(2j * np.pi * lowest / 24).sum())) * 24 / (2 * np.pi)
    first = int(np.floor(middle + 0.5 + 1e-6)) % 24  # halves up
    if zone != "UTC" or hours.sum() == 0 or quiet[first] > _QUIET or quiet[_NIGHT] < 2 * quiet[first] + _MARGIN:
        return None
    return _ZONES.get((_NIGHT - first + 12) % 24 - 12)


def longest_gap(days: pd.Series) -> tuple[int, str]:
    """Days of the longest pause without events, and its first day."""
    empty = (days == 0).astype(int)
    runs = empty.groupby((empty == 0).cumsum()).cumsum()
    if not len(runs) or runs.max() == 0:
        return 0, ""
    end = runs.idxmax()
    return int(runs.max()), str((pd.Timestamp(str(end)) - pd.Timedelta(days=int(runs.max()) - 1)).date())


def suspicious_items(tables: Tables, most: int = 20) -> pd.DataFrame:
    """Items that may be no products: named like fees and postage, or without a price, or sold at ever other prices.

    Returns:
        ``item_id, events, reason``, most events first.
    """
    events: Any = tables.events
    prices = {"priced": (_.value > 0).mean(), "prices": _.value.nunique()} if "value" in events.columns else {}
    counted = events.group_by("item_id").agg(events=_.count(), **prices)
    named: Any = counted.item_id.cast("string").re_search(_NOT_A_PRODUCT)
    reasons = [(named, "named like postage, a fee or an adjustment")]
    if prices:
        reasons += [(counted.priced == 0, "never has a price")]
        odd = (counted.events >= 20) & (counted.prices / counted.events > _ODD_PRICES)
        reasons += [(odd & (counted.item_id.cast("string").length() == 1), "one character, at ever other amounts")]
    reason = ibis.cases(*reasons, else_=None)
    listed = counted.mutate(reason=reason).order_by(_.events.desc(), "item_id").to_pandas()
    return listed.dropna(subset="reason").head(most)[["item_id", "events", "reason"]]


def suspicious_users(tables: Tables, most: int = 10) -> pd.DataFrame:
    """Customers with more than 1 % of a log of over a thousand customers: a till, a reseller or a robot.

    Returns:
        ``user_id, events, share``, most events first.
    """
    counted = tables.events.group_by("user_id").agg(events=_.count()).order_by(_.events.desc()).limit(most).to_pandas()
    n_users, n = tables.events.user_id.nunique().to_pyarrow().as_py(), tables.events.count().to_pyarrow().as_py()
    counted["share"] = counted.events / n
    return counted.loc[(counted.share > _MANY_EVENTS) & (n_users > 10 / _MANY_EVENTS)]
