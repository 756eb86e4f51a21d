"""The Tianchi O2O contest: which receipts are learned from and judged, their labels, and features before them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.core.errors import DataError
from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.metrics import measure
from omniretail.schema import Tables
from omniretail.sources.tianchi_o2o import DAYS_TO_USE
from omniretail.splits.cutoff import Stage

PAST_DAYS = 88
"""Days that features look back: as many as the log has before the first window, so that all windows have the same."""

_DAY_S = 24 * 3600
_KEYS = ("user_id", "coupon_id", "merchant_id", "received")
_GROUPS = {
    "user": ["user_id"],
    "merchant": ["merchant_id"],
    "coupon": ["coupon_id"],
    "pair": ["user_id", "merchant_id"],
}


@dataclass(frozen=True)
class Window:
    """Receipts of ``[start, end)``, days as midnight UTC."""

    start: datetime
    end: datetime


LEARN: dict[Stage, Window] = {
    "val": Window(datetime(2016, 3, 29), datetime(2016, 4, 30)),
    "test": Window(datetime(2016, 5, 15), datetime(2016, 6, 16)),
}
"""The last receipts whose 15 days are over before the judged ones begin, so that no label lies in the future."""
JUDGE: dict[Stage, Window] = {
    "val": Window(datetime(2016, 5, 15), datetime(2016, 6, 16)),
    "test": Window(datetime(2016, 7, 1), datetime(2016, 8, 1)),
}
"""Test is the contest's: July. The winners learned from receipts of 14 April to 14 May and of 15 May to 15 June; the
latter are the validation window here, and the former are moved to where their outcomes do not reach into it."""


@dataclass(frozen=True)
class ContestRows:
    """N receipts of coupons for stores, ordered by day, coupon and customer.

    Attributes:
        keys: ``user_id, coupon_id, merchant_id, received``; shape (N, 4).
        rows: features of the coupon, the distance, and counts before the window; shape (N, F).
        y: 1 where used within 15 days, 0 where not, NaN where the files do not reach that far; shape (N,).
    """

    keys: pd.DataFrame
    rows: pd.DataFrame
    y: np.ndarray


def contest_rows(tables: Tables, window: Window) -> ContestRows:
    """The receipts of a window, with features as of its start.

    Not as of each receipt: of July only receipts are published, and counting a receipt's successors, from which
    contestants gained, uses what a shop does not know when it decides.

    Args:
        tables: of ``TianchiO2O``.
        window: which receipts.

    Raises:
        DataError: where no receipt lies in the window, or the tables are of another source.
    """
    mailed = _mailed(tables)
    inside = mailed.filter(_.received >= window.start, _.received < window.end)
    from_day = window.start - timedelta(days=PAST_DAYS)
    for name, past in _past(tables, mailed, from_day, window.start).items():
        inside = inside.left_join(past, _GROUPS[name]).drop(*(f"{key}_right" for key in _GROUPS[name]))
    receipts = inside.order_by("received", "coupon_id", "user_id").to_pandas()
    if receipts.empty:
        raise DataError(f"{tables.card.title}: nobody received a coupon in [{window.start:%F}, {window.end:%F})")
    rows = receipts.drop(columns=[*_KEYS, "used_at"])
    counts = [name for name in rows if str(name).endswith(("_received", "_used", "_purchases", "_clicks"))]
    rows = rows.fillna(dict.fromkeys(counts, 0)).astype(dict.fromkeys(counts, np.float64))
    rows["weekday"] = receipts["received"].dt.day_name().astype(object)
    return ContestRows(pd.DataFrame(receipts[list(_KEYS)]), rows, _label(receipts, _end_of_log(tables)))


def contest_fold(tables: Tables, stage: Stage) -> tuple[ContestRows, ContestRows]:
    """The rows that are learned from, and those that are judged.

    Raises:
        DataError: where receipts or their outcomes are not in the files, as those of July are not.
    """
    learned, judged = contest_rows(tables, LEARN[stage]), contest_rows(tables, JUDGE[stage])
    for part in (learned, judged):
        if np.isnan(part.y).any():
            day = part.keys["received"].min()
            raise DataError(f"{tables.card.title}: the outcomes of receipts from {day:%F} on are not in the files")
    return learned, judged


def evaluate(model: ResponseModel, tables: Tables, stage: Stage) -> dict[str, float]:
    """Fit the model on a stage's receipts and judge it by later ones.

    Returns:
        See ``measure``; ``auc_per_offer`` is the contest's metric, the mean AUC per coupon.

    Raises:
        DataError: see ``contest_fold``.
    """
    learned, judged = contest_fold(tables, stage)
    score = model.fit(learned.rows, learned.y).predict_proba(judged.rows)
    return measure(judged.y, score, pd.factorize(judged.keys["coupon_id"])[0])


def _mailed(tables: Tables) -> ibis.Table:
    """One row per receipt of a coupon for stores, with the day of its first use."""
    if tables.offers is None or tables.offer_events is None or "coupon_id" not in tables.offers.columns:
        raise DataError(f"{tables.card.title} is not the contest's data; choose source=tianchi_o2o")
    about = tables.offers.filter(_.channel == "offline")
    about = about.select("offer_id", "coupon_id", "kind", "discount", "min_spend", "off")
    sent = tables.offer_events.filter(_.event_type == "sent")
    sent = sent.select("user_id", "offer_id", "distance_m", merchant_id="store_id", received="timestamp")
    used = tables.offer_events.filter(_.event_type == "redeemed").group_by("user_id", "offer_id")
    joined = sent.join(about, "offer_id").left_join(used.agg(used_at=_.timestamp.min()), ["user_id", "offer_id"])
    return joined.drop("user_id_right", "offer_id_right", "offer_id")


def _past(tables: Tables, mailed: ibis.Table, start: datetime, end: datetime) -> dict[str, ibis.Table]:
    """Counts of ``[start, end)`` per user, merchant, coupon, and user at a merchant."""
    before = mailed.filter(_.received >= start, _.received < end)
    bought = tables.purchases.filter(_.timestamp >= start, _.timestamp < end)
    bought = bought.rename(merchant_id="item_id")
    parts = {name: _counts(before, keys, name, end) for name, keys in _GROUPS.items()}
    for name in ("user", "merchant", "pair"):
        visits = bought.filter(_.channel == "offline").group_by(_GROUPS[name]).agg(**{f"{name}_purchases": _.count()})
        parts[name] = _outer(parts[name], visits, _GROUPS[name])
    online = tables.events.filter(_.channel == "online", _.timestamp >= start, _.timestamp < end)
    kinds = {"clicks": "click", "received": "receive", "purchases": "purchase"}
    seen = online.group_by("user_id").agg(
        **{f"online_{name}": (_.event_type == kind).sum() for name, kind in kinds.items()}
    )
    return parts | {"user": _outer(parts["user"], seen, ["user_id"])}


def _counts(before: ibis.Table, keys: list[str], name: str, end: datetime) -> ibis.Table:
    used = (_.used_at < end).fill_null(False)
    days = used.ifelse((_.used_at.epoch_seconds() - _.received.epoch_seconds()) / _DAY_S, None)
    return before.group_by(keys).agg(
        **{
            f"{name}_received": _.count(),
            f"{name}_used": used.sum(),
            f"{name}_used_share": used.mean(),
            f"{name}_days_to_use": days.mean(),
        }
    )


def _outer(left: ibis.Table, right: ibis.Table, keys: list[str]) -> ibis.Table:
    joined = left.outer_join(right, keys)
    whole: dict[str, Any] = {key: ibis.coalesce(joined[key], joined[f"{key}_right"]) for key in keys}
    return joined.mutate(**whole).drop(*(f"{key}_right" for key in keys))


def _label(receipts: pd.DataFrame, until: datetime) -> np.ndarray:
    received, used = (receipts[name].to_numpy().astype("datetime64[D]") for name in ("received", "used_at"))
    days = np.timedelta64(DAYS_TO_USE, "D")
    within = (used - received <= days).astype(np.float64)  # NaT, where it was not used, compares as False
    return np.where(received + days < np.datetime64(until, "D"), within, np.nan)


def _end_of_log(tables: Tables) -> datetime:
    """The day after the last purchase; before all receipts where there is none."""
    last = tables.purchases["timestamp"].max().to_pyarrow().as_py()
    return datetime.min if last is None else last + timedelta(days=1)
