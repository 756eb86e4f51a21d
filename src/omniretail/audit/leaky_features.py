"""Features that look ahead, made only to measure what a leak is worth; nothing that trains for use can reach them."""

from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.schema import Tables

AHEAD_DAYS = 28
"""How far the counts look ahead."""
_DAY_S = 24 * 3600

LATER_RECEIPTS: Mapping[str, str] = {
    "later_receipts": f"later offers to the same customer within {AHEAD_DAYS} days",
    "later_receipts_alike": f"of them, those of the same coupon or kind within {AHEAD_DAYS} days",
}
UNTIL_NEXT: Mapping[str, str] = {
    "days_until_receipt": "days until the customer's next offer; empty where there is none",
    "days_until_purchase": "days until the customer's next purchase; empty where there is none",
}
LATER_PURCHASES: Mapping[str, str] = {"later_visits": f"the customer's visits of the next {AHEAD_DAYS} days"}
IN_ITS_TIME: Mapping[str, str] = {"offered_lines_in_time": "lines of the offered items bought in the offer's time"}
AT_THE_TILL: Mapping[str, str] = {"offered_coupons_in_time": "of them, those bought with a coupon: all but the label"}


def receipts_ahead(user: np.ndarray, alike: np.ndarray, at: np.ndarray) -> pd.DataFrame:
    """What a customer receives after each receipt: the features by which contestants gained.

    Args:
        user: of N receipts; shape (N,).
        alike: what makes two of them alike, such as the coupon; shape (N,).
        at: when; shape (N,).

    Returns:
        ``LATER_RECEIPTS`` and ``days_until_receipt``; shape (N, 3).

    >>> days = np.array(["2016-05-01", "2016-05-04", "2016-05-04"], dtype="datetime64[D]")
    >>> receipts_ahead(np.array([1, 1, 2]), np.array([7, 8, 7]), days).to_numpy().tolist()
    [[1.0, 0.0, 3.0], [0.0, 0.0, nan], [0.0, 0.0, nan]]
    """
    second = at.astype("datetime64[s]").astype(np.int64)
    receipt = pd.DataFrame({"user": pd.factorize(user)[0], "alike": pd.factorize(alike)[0], "second": second})
    same = receipt.user.to_numpy() * (int(receipt.alike.max()) + 1) + receipt.alike.to_numpy()
    return pd.DataFrame(
        {
            "later_receipts": _within(receipt.user.to_numpy(), second).astype(float),
            "later_receipts_alike": _within(same, second).astype(float),
            "days_until_receipt": _until_next(receipt.user.to_numpy(), second),
        }
    )


def purchases_ahead(asked: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """What a customer buys after each receipt.

    Args:
        asked: ``user_id, offer_id, at, ends_at`` of N receipts, indexed 0 .. N - 1.
        tables: with the log and what offers cover.

    Returns:
        ``days_until_purchase``, ``LATER_PURCHASES``, ``IN_ITS_TIME`` and ``AT_THE_TILL``; shape (N, 4).
    """
    receipts = ibis.memtable(asked.rename_axis("row").reset_index())
    bought = tables.events.filter(_.event_type == "purchase")
    used: Any = bought["coupon"] if "coupon" in bought.columns else ibis.literal(0.0)
    bought = bought.select("item_id", "timestamp", buyer="user_id", coupon=(used > 0).fill_null(False))
    ahead = receipts.join(bought, [receipts.user_id == bought.buyer, bought.timestamp >= receipts["at"]])
    days = (_.timestamp.epoch_seconds() - _["at"].epoch_seconds()).cast("float64") / _DAY_S
    lines, in_time = _offered(ahead.mutate(days=days), tables), _.timestamp < _.ends_at
    found = lines.group_by("row").agg(
        days_until_purchase=_.days.min(),
        later_visits=_.timestamp.nunique(where=_.days < AHEAD_DAYS),
        offered_lines_in_time=_.offered.sum(where=in_time),
        offered_coupons_in_time=_.offered.sum(where=in_time & _.coupon),
    )
    wide = found.to_pandas().set_index("row").reindex(asked.index).astype(float)
    return wide.fillna(dict.fromkeys((*LATER_PURCHASES, *IN_ITS_TIME, *AT_THE_TILL), 0.0))


def _offered(lines: ibis.Table, tables: Tables) -> Any:
    if tables.offer_items is None:
        return lines.mutate(offered=ibis.literal(0))
    covered = tables.offer_items.select("offer_id", "item_id").distinct().mutate(hit=ibis.literal(1))
    joined = lines.left_join(covered, ["offer_id", "item_id"])
    return joined.mutate(offered=_.hit.fill_null(0)).select(*lines.columns, "offered")


def _within(group: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How many of the same group lie after each, ``AHEAD_DAYS`` at most; shape (N,)."""
    ahead = AHEAD_DAYS * _DAY_S
    since = second - second.min()
    place = group.astype(np.int64) * (since.max() + ahead + 1) + since  # groups lie too far apart to be mixed
    ordered = np.sort(place)
    return np.searchsorted(ordered, place + ahead, side="right") - np.searchsorted(ordered, place, side="right")


def _until_next(group: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Days from each to the next moment of the same group, NaN where there is none; shape (N,)."""
    moments = pd.DataFrame({"group": group, "second": second}).drop_duplicates().sort_values(["group", "second"])
    moments["next"] = moments.groupby("group").second.shift(-1)
    asked = pd.DataFrame({"group": group, "second": second})
    return (asked.merge(moments, on=["group", "second"], how="left").next.to_numpy() - second) / _DAY_S
