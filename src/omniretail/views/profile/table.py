"""The profile table: a row per customer, from events before the cutoff. Ibis: DuckDB here, Spark on a cluster."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import ibis
from ibis import _

from omniretail.views.profile.dictionary import FIXED, HOURS, WEEKDAYS

_WEEK, _MONTH, _QUARTER = 7, 28, 91
_EXACT = "decimal(38, 9)"
"""Type of summands: sums of floats depend on the order of addition, which engines do not fix."""
_AMOUNTS = ("quantity", "value", "discount", "coupon")


def profile_table(events: ibis.Table) -> ibis.Table:
    """The features of ``dictionary.FIXED``, null where a customer's log does not tell.

    Args:
        events: ``user_id``, ``item_id``, ``basket`` (its number in the customer's history), ``days_ago`` (before the
            cutoff, float) and ``clock`` (the timestamp on the customer's own clock); optionally ``store_id``,
            ``quantity``, ``value``, ``discount``, ``coupon``.

    Returns:
        ``user_id`` and one column per feature; customers without events have no row.
    """
    absent = {name: ibis.null("float64") for name in _AMOUNTS if name not in events.columns}
    absent |= {"store_id": ibis.null("int32")} if "store_id" not in events.columns else {}
    events = events.mutate(**absent)
    parts = [_visits(_baskets(events)), _lines(events), _stores(events), _variety(events)]
    joined = reduce(lambda left, right: left.join(right, "user_id"), parts)
    return joined.mutate(**_ratios()).select("user_id", *(feature.name for feature in FIXED))


def attribute_table(events: ibis.Table, levels: Sequence[str]) -> ibis.Table:
    """Purchases by attribute value of the items, in long form.

    Args:
        events: as for ``profile_table``, with the attributes as columns.
        levels: those columns, of one type.

    Returns:
        ``user_id, level, attribute_value, share, lines_91, days_since``; only values that the customer bought.
    """
    return reduce(lambda left, right: left.union(right), [_of_level(events, level) for level in levels])


def _of_level(events: ibis.Table, level: str) -> ibis.Table:
    by_value = events.filter(events[level].notnull()).group_by("user_id", attribute_value=events[level])
    counted = by_value.agg(n=_.count(), lines_91=_in(_QUARTER), days_since=_.days_ago.min())
    total = _.n.sum().over(group_by="user_id")
    return counted.mutate(level=ibis.literal(level), share=_.n / total).select(
        "user_id", "level", "attribute_value", "share", "lines_91", "days_since"
    )


def _in(days: float, what: Any = None) -> Any:
    """Number of rows, or the sum of a column, within so many days; null where all of the column is null."""
    inside = _.days_ago <= days
    return inside.sum() if what is None else _sum(what * inside.cast("float64"))


def _sum(what: Any) -> Any:
    return what.try_cast(_EXACT).sum().cast("float64")


def _mean(what: Any) -> Any:
    return _sum(what) / what.count().nullif(0)


def _baskets(events: ibis.Table) -> ibis.Table:
    baskets = events.group_by("user_id", "basket").agg(
        days_ago=_.days_ago.max(), clock=_.clock.min(), value=_sum(_.value), coupon=_sum(_.coupon), lines=_.count()
    )
    before = _.days_ago.lag().over(group_by="user_id", order_by="basket")
    timed = baskets.mutate(gap=before - _.days_ago, hour=_.clock.hour(), weekday=_.clock.day_of_week.index())
    return timed.mutate(**{f"{name}_off": (timed[name] - _own_mean(timed[name])) ** 2 for name in ("gap", "value")})


def _own_mean(what: Any) -> Any:
    """The customer's own mean, for each row."""
    return what.try_cast(_EXACT).sum().over(group_by="user_id").cast("float64") / what.count().over(
        group_by="user_id"
    ).nullif(0)


def _visits(baskets: ibis.Table) -> ibis.Table:
    hours = {f"hour_{band}": ((_.hour >= a) & (_.hour < b)).mean() for band, (a, b) in HOURS.items()}
    weekdays = {f"weekday_{day}": (_.weekday == number).mean() for number, day in enumerate(WEEKDAYS)}
    return baskets.group_by("user_id").agg(
        recency_days=_.days_ago.min(),
        tenure_days=_.days_ago.max(),
        visits=_.count(),
        visits_28=_in(_MONTH),
        visits_91=_in(_QUARTER),
        visits_182=_in(2 * _QUARTER),
        active_weeks=(_.days_ago / _WEEK).floor().nunique(),
        gap_mean_days=_mean(_.gap),
        gap_std_days=_mean(_.gap_off).sqrt(),
        spend=_sum(_.value),
        spend_28=_in(_MONTH, _.value),
        spend_91=_in(_QUARTER, _.value),
        spend_182=_in(2 * _QUARTER, _.value),
        basket_value_mean=_mean(_.value),
        basket_value_std=_mean(_.value_off).sqrt(),
        basket_value_max=_.value.max(),
        basket_lines_mean=_.lines.mean(),
        basket_lines_max=_.lines.max(),
        small_baskets=(_.lines <= 3).mean(),
        coupon_visits=(_.coupon > 0).mean(),
        weekend=(_.weekday >= 5).mean(),
        **hours,
        **weekdays,
    )


def _lines(events: ibis.Table) -> ibis.Table:
    first = events.basket.min().over(group_by=["user_id", "item_id"])
    again = (events.basket > first).cast("float64")
    shelf_price = (_.value + _.discount).cast("float64")
    return (
        events.mutate(again=again, shelf_price=shelf_price)
        .group_by("user_id")
        .agg(
            lines=_.count(),
            lines_91=_in(_QUARTER),
            quantity_mean=_mean(_.quantity),
            unit_price_mean=_mean(_.value / _.quantity),
            discount_share=_share(_sum(_.discount), _sum(_.shelf_price)),
            discount_share_91=_share(_in(_QUARTER, _.discount), _in(_QUARTER, _.shelf_price)),
            discounted_lines=(_.discount > 0).mean(),
            coupon_share=_share(_sum(_.coupon), _sum(_.shelf_price)),
            repeat_share=_.again.mean(),
            repeat_share_91=_share(_in(_QUARTER, _.again), _in(_QUARTER)),
        )
    )


def _stores(events: ibis.Table) -> ibis.Table:
    visits = events.group_by("user_id", "store_id").agg(n=_.basket.nunique())
    in_store = _.store_id.notnull()
    return visits.group_by("user_id").agg(
        stores=in_store.any().ifelse(in_store.sum(), None),
        store_loyalty=_share(in_store.ifelse(_.n, None).max(), in_store.ifelse(_.n, None).sum()),
    )


def _variety(events: ibis.Table) -> ibis.Table:
    """Number of items and their entropy, log(total) - sum(n log n) / total, in one pass."""
    counts = events.group_by("user_id", "item_id").agg(n=_.count())
    return counts.group_by("user_id").agg(
        items=_.count(), item_entropy=_.n.sum().ln() - _sum(_.n * _.n.ln()) / _.n.sum()
    )


def _ratios() -> dict[str, Any]:
    return {
        "gap_regularity": _share(_.gap_std_days, _.gap_mean_days),
        "overdue": _share(_.recency_days, _.gap_mean_days),
        "visits_trend": ((_.visits_91 + 1) / (_.visits_182 - _.visits_91 + 1)).ln(),
        "spend_trend": _log_ratio(_.spend_91, _.spend_182 - _.spend_91),
        "visits_trend_28": ((_.visits_28 + 1) / (_.visits_91 * _MONTH / _QUARTER + 1)).ln(),
    }


def _log_ratio(now: Any, before: Any) -> Any:
    """Log ratio of two sums; refunds may make a sum negative, which counts as zero."""
    return ((_above_zero(now) + 1) / (_above_zero(before) + 1)).ln()


def _above_zero(amount: Any) -> Any:
    """0 for negative amounts; unlike with ``greatest``, null stays null."""
    return amount * (amount > 0).cast("float64")


def _share(part: Any, whole: Any) -> Any:
    return (whole > 0).ifelse(part / whole, None)
