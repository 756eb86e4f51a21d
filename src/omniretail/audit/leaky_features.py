"""Features from the future, only to measure what a leak is worth; no config that trains a model can name them."""

from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.schema import Tables

AHEAD_DAYS = 28
"""Days ahead that counts cover."""
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
AT_THE_TILL: Mapping[str, str] = {"offered_coupons_in_time": "of them, those bought with a coupon: nearly the label"}


def receipts_ahead(user: np.ndarray, alike: np.ndarray, at: np.ndarray) -> pd.DataFrame:
    """Receipts of the same customer after each receipt: features that won the Tianchi contest.

    Args:
        user: of N receipts; shape (N,).
        alike: a value that similar receipts share, such as the coupon; shape (N,).
        at: time of each receipt; shape (N,).

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


def purchases_ahead(mailings: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Purchases of the customer after each mailing.

    Args:
        mailings: ``user_id, offer_id, at, ends_at`` of N mailings, indexed 0 .. N - 1.
        tables: with the events and the items of offers.

    Returns:
        ``days_until_purchase``, ``LATER_PURCHASES``, ``IN_ITS_TIME`` and ``AT_THE_TILL``; shape (N, 4).
    """
    receipts = ibis.memtable(mailings.rename_axis("row").reset_index())
    bought = tables.purchases
    used: Any = bought["coupon"] if "coupon" in bought.columns else ibis.literal(0.0)
    bought = bought.select("item_id", "timestamp", buyer="user_id", coupon=(used > 0).fill_null(False))
    ahead = receipts.join(bought, [receipts.user_id == bought.buyer, bought.timestamp >= receipts["at"]])
    days = (_.timestamp.epoch_seconds() - _["at"].epoch_seconds()).cast("float64") / _DAY_S
    lines, in_time = _offered(ahead.mutate(days=days), tables), _.timestamp < _.ends_at
    features = lines.group_by("row").agg(
        days_until_purchase=_.days.min(),
        later_visits=_.timestamp.nunique(where=_.days < AHEAD_DAYS),
        offered_lines_in_time=_.offered.sum(where=in_time),
        offered_coupons_in_time=_.offered.sum(where=in_time & _.coupon),
    )
    frame = features.to_pandas().set_index("row").reindex(mailings.index).astype(float)
    return frame.fillna(dict.fromkeys((*LATER_PURCHASES, *IN_ITS_TIME, *AT_THE_TILL), 0.0))


def _offered(lines: ibis.Table, tables: Tables) -> Any:
    if tables.offer_items is None:
        return lines.mutate(offered=ibis.literal(0))
    covered = tables.offer_items.select("offer_id", "item_id").distinct().mutate(hit=ibis.literal(1))
    joined = lines.left_join(covered, ["offer_id", "item_id"])
    return joined.mutate(offered=_.hit.fill_null(0)).select(*lines.columns, "offered")


def _within(group: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number of rows of the same group within ``AHEAD_DAYS`` after each; shape (N,)."""
    ahead = AHEAD_DAYS * _DAY_S
    since = second - second.min()
    place = group.astype(np.int64) * (since.max() + ahead + 1) + since  # groups are too far from each other to overlap
    ordered = np.sort(place)
    return np.searchsorted(ordered, place + ahead, side="right") - np.searchsorted(ordered, place, side="right")


def _until_next(group: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Days from each to the next time of the same group, NaN where there is none; shape (N,)."""
    rows = pd.DataFrame({"group": group, "second": second})
    times = rows.drop_duplicates().sort_values(["group", "second"])
    times["next"] = times.groupby("group").second.shift(-1)
    return (rows.merge(times, on=["group", "second"], how="left").next.to_numpy() - second) / _DAY_S
