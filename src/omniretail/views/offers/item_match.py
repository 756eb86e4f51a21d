"""Customers' purchases before the time of sending, matched with offered items. Ibis: one join, no loop over rows."""

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.schema import Tables
from omniretail.views.fold import with_baskets

_MONTH, _QUARTER, _DAY_S = 28, 91, 24 * 3600
_AMOUNTS, _DECIMAL = ("value", "discount", "coupon"), "decimal(18, 4)"


def past_lines(sent: pd.DataFrame, tables: Tables, levels: Sequence[str]) -> ibis.Table:
    """Every mailing with every line that its customer bought before it was sent.

    Args:
        sent: from ``Mailings``, in order.
        tables: with ``offer_items`` and, for the levels, ``items``.
        levels: columns of the item table.

    Returns:
        ``row`` (the mailing's position), ``offer_id``, ``item_id``, ``basket``, ``days_ago``, amounts (decimals, so
        that sums do not depend on the order of addition), ``offered`` (1 where the item is in the offer), the levels as
        text.
    """
    mailed = ibis.memtable(sent[["user_id", "offer_id", "sent_at"]].rename_axis("row").reset_index())
    events = with_baskets(tables.purchases)
    absent = {name: ibis.null("float64") for name in _AMOUNTS if name not in events.columns}
    events = events.mutate(**absent).drop("event_type", "channel").cast(dict.fromkeys(_AMOUNTS, _DECIMAL))
    joined = mailed.join(events, [mailed.user_id == events.user_id, events.timestamp < mailed.sent_at])
    days = (_.sent_at.epoch_seconds() - _.second).cast("float64") / _DAY_S
    lines = joined.mutate(days_ago=days).select("row", "offer_id", "item_id", "basket", "days_ago", *_AMOUNTS)
    lines = _offered(lines, tables.offer_items)
    if not levels:
        return lines
    assert tables.items is not None
    attributes = tables.items.select("item_id", **{level: tables.items[level].cast("string") for level in levels})
    return lines.left_join(attributes, "item_id").drop("item_id_right")


def _offered(lines: ibis.Table, offer_items: ibis.Table | None) -> ibis.Table:
    if offer_items is None:
        return lines.mutate(offered=ibis.literal(0).cast("int64"))
    items = offer_items.select("offer_id", "item_id").distinct().mutate(hit=ibis.literal(1).cast("int64"))
    joined = lines.left_join(items, ["offer_id", "item_id"])
    return joined.mutate(offered=_.hit.fill_null(0)).select(*lines.columns, "offered")


def habits(lines: ibis.Table) -> pd.DataFrame:
    """Features of the customer and of the offered items per mailing with earlier purchases; indexed by ``row``."""
    by_basket = lines.group_by("row", "basket").agg(
        days_ago=_.days_ago.max(), value=_.value.sum(), coupon=_.coupon.sum(), offered=_.offered.max()
    )
    visits = by_basket.group_by("row").agg(
        recency_days=_.days_ago.min(),
        tenure_days=_.days_ago.max(),
        visits=_.count(),
        visits_28=_within(_MONTH),
        visits_91=_within(_QUARTER),
        spend=_.value.sum(),
        spend_28=_within(_MONTH, _.value),
        spend_91=_within(_QUARTER, _.value),
        basket_value_mean=_over(_.value.sum(), _.count()),
        coupon_visits=(_.coupon > 0).sum(),
        coupon_visits_91=_within(_QUARTER, (_.coupon > 0).cast("int64")),
        coupon_share=(_.coupon > 0).mean(),
        coupon_days_since=(_.coupon > 0).ifelse(_.days_ago, None).min(),
        offered_visits=_.offered.sum(),
    )
    counts = lines.group_by("row").agg(
        lines_91=_within(_QUARTER),
        discount_share=_over(_.discount.sum(), (_.value + _.discount).sum()),
        discounted_lines=(_.discount > 0).mean(),
        coupon_value=_.coupon.sum(),
        offered_lines=_.offered.sum(),
        offered_lines_91=_within(_QUARTER, _.offered),
        offered_share=_.offered.mean(),
        offered_spend_share=_over((_.value * _.offered).sum(), _.value.sum()),
        offered_days_since=(_.offered > 0).ifelse(_.days_ago, None).min(),
        offered_coupons=((_.coupon > 0) & (_.offered > 0)).sum(),
    )
    by_item = lines.group_by("row", "item_id").agg(n=_.count(), offered=_.offered.max())
    items = by_item.group_by("row").agg(
        items_bought=_.count(), offered_items_bought=_.offered.sum(), offered_favourite=(_.n * _.offered).max()
    )
    joined = visits.join(counts, "row").join(items, "row").to_pandas()
    return joined.set_index("row").sort_index().astype("float64")


def level_match(lines: ibis.Table, offered: pd.DataFrame, level: str) -> pd.DataFrame:
    """Earlier purchases that share attribute values with the offer's items, per mailing; indexed by ``row``.

    Args:
        lines: from ``past_lines``.
        offered: from ``offer_attributes``.
        level: the column of the item table.
    """
    counted = lines.drop_null([level]).group_by("row", "offer_id", attribute_value=lines[level])
    counted = counted.agg(n=_.count(), n_91=_within(_QUARTER))
    if offered.empty:
        matched = counted.mutate(items=ibis.literal(0).cast("int64"))
    else:
        joined = counted.left_join(ibis.memtable(offered), ["offer_id", "attribute_value"])
        matched = joined.mutate(items=_.items.fill_null(0))
    hit = (_.items > 0).cast("int64")
    agg = matched.group_by("row", "offer_id").agg(
        lines=(_.n * hit).sum(),
        lines_91=(_.n_91 * hit).sum(),
        total=_.n.sum(),
        product=(_.n * _["items"]).sum(),
        squares=(_.n * _.n).sum(),
    )
    frame = agg.to_pandas().set_index("row").sort_index()
    squares = (offered["items"] ** 2).groupby(offered.offer_id).sum()
    length = np.sqrt(frame.offer_id.map(squares).astype("float64") * frame.squares)
    return pd.DataFrame(
        {
            f"{level}_lines": frame["lines"],
            f"{level}_lines_91": frame.lines_91,
            f"{level}_share": frame["lines"] / frame.total,
            f"{level}_cosine": (frame["product"] / length).fillna(0.0),
        }
    ).astype("float64")


def _over(part: Any, whole: Any) -> Any:
    """Null where the whole is zero."""
    return (whole > 0).ifelse(part.cast("float64") / whole.cast("float64"), None)


def _within(days: float, what: Any = None) -> Any:
    """Number of rows, or the sum of a column, within so many days."""
    inside = _.days_ago <= days
    return inside.sum() if what is None else inside.ifelse(what, 0).sum()
