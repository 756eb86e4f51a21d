"""Outcomes of earlier offers as of the time of sending; no loop over rows."""

import numpy as np
import pandas as pd

from omniretail.views.offers.item_attributes import similarity
from omniretail.views.offers.mailings import Mailings

_DAY = pd.Timedelta(days=1)


def past_offers(mailed: Mailings, offered: pd.DataFrame, smoothing: float) -> pd.DataFrame:
    """Features of the group ``past_offers``, of the offer's kind, and of similar offers; one row per mailing.

    A redemption counts from its time on: a running offer counts as not redeemed until it is.

    Args:
        mailed: from ``mailings``.
        offered: from ``offer_attributes``.
        smoothing: weight of the rate of all customers in a customer's own, in offers.
    """
    sent = mailed.sent.assign(row=np.arange(len(mailed.sent)))
    pairs = _pairs(sent, offered)
    totals = pairs.groupby("row").agg(
        offers_sent=("sent_at_past", "size"),
        offers_running=("running", "sum"),
        offers_redeemed=("was_redeemed", "sum"),
        redeemed_over_expected=("over_expected", "sum"),
        last_sent=("sent_at_past", "max"),
        kind_sent=("same_kind", "sum"),
        kind_redeemed=("same_kind_redeemed", "sum"),
        redeemed_alike=("similarity", "sum"),
    )
    table = totals.reindex(sent.row)
    times = sent.sent_at.reset_index(drop=True)
    table["offer_days_since"] = (times - table.pop("last_sent").reset_index(drop=True)) / _DAY
    table = table.fillna(dict.fromkeys(table.columns.drop("offer_days_since"), 0)).reset_index(drop=True)
    uses = _uses(sent, mailed.redeemed)
    table["coupons_redeemed"] = uses.n.to_numpy()
    table["redeemed_days_since"] = (times - uses.last_use.reset_index(drop=True)) / _DAY
    overall = _overall_rate(sent)
    table["redeemed_rate"] = (table.offers_redeemed + smoothing * overall) / (table.offers_sent + smoothing)
    table["kind_rate"] = _kind_rate(sent, overall)
    return table.astype(np.float64)


def _pairs(sent: pd.DataFrame, offered: pd.DataFrame) -> pd.DataFrame:
    """Each mailing with every earlier one to the same customer, and the state of that one as of the time of sending."""
    past = sent[["row", "user_id", "offer_id", "sent_at", "ends_at", "redeemed_at", "kind"]]
    pairs = past.merge(past, on="user_id", suffixes=("", "_past"))
    pairs = pd.DataFrame(pairs[pairs.sent_at_past < pairs.sent_at])
    was_redeemed = pairs.redeemed_at_past < pairs.sent_at
    same_kind = pairs.kind == pairs.kind_past
    cosine, used = np.zeros(len(pairs)), was_redeemed.to_numpy()
    cosine[used] = similarity(offered, *(pairs.loc[used, name].to_numpy() for name in ("offer_id", "offer_id_past")))
    return pairs.assign(
        was_redeemed=was_redeemed.astype(float),
        running=pairs.ends_at_past > pairs.sent_at,
        same_kind=same_kind,
        same_kind_redeemed=same_kind & was_redeemed,
        similarity=cosine,
        over_expected=was_redeemed.astype(float) - _share_redeemed(sent, pairs),
    )


def _share_redeemed(sent: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    """Share of the earlier offer's mailings that were redeemed before the time of sending; shape (P,)."""
    offer = pd.Index(sent.offer_id.unique())
    own, past = offer.get_indexer(sent.offer_id), offer.get_indexer(pairs.offer_id_past)
    was_used = sent.redeemed_at.notna().to_numpy()
    n_sent = _n_before(own, sent.sent_at, past, pairs.sent_at)
    n_used = _n_before(own[was_used], sent.redeemed_at[was_used], past, pairs.sent_at)  # never before it is sent
    return n_used / n_sent


def _n_before(group: np.ndarray, at: pd.Series, query_group: np.ndarray, query_time: pd.Series) -> np.ndarray:
    """Number of members of each query's group before the query's time; shape (P,)."""
    times, place = np.unique(np.concatenate([at.to_numpy(), query_time.to_numpy()]), return_inverse=True)
    ordered = np.sort(group * len(times) + place[: len(at)])
    first = query_group * len(times)
    return np.searchsorted(ordered, first + place[len(at) :]) - np.searchsorted(ordered, first)


def _uses(sent: pd.DataFrame, redeemed: pd.DataFrame) -> pd.DataFrame:
    uses = sent[["row", "user_id", "sent_at"]].merge(redeemed[["user_id", "timestamp"]], on="user_id")
    before = uses[uses.timestamp < uses.sent_at].groupby("row").timestamp
    return pd.DataFrame({"n": before.size(), "last_use": before.max()}).reindex(sent.row).fillna({"n": 0})


def _overall_rate(sent: pd.DataFrame) -> np.ndarray:
    """Share redeemed of all mailings that ended before the row's was sent; 0 where there is none; shape (N,)."""
    ended, redeemed = _ended_before(sent, sent.ends_at.to_numpy(), sent.redeemed_at.notna().to_numpy())
    return np.divide(redeemed, ended, out=np.zeros(len(sent)), where=ended > 0)


def _kind_rate(sent: pd.DataFrame, overall: np.ndarray, weight: float = 50.0) -> np.ndarray:
    """The same within the offer's kind, shrunk to the overall rate, which weighs as much as ``weight`` mailings."""
    rate = np.empty(len(sent))
    for kind in sent.kind.unique():  # a handful
        of_kind = (sent.kind == kind).to_numpy()
        part = pd.DataFrame(sent[of_kind])
        ended, redeemed = _ended_before(part, part.ends_at.to_numpy(), part.redeemed_at.notna().to_numpy())
        rate[of_kind] = (redeemed + weight * overall[of_kind]) / (ended + weight)
    return rate


def _ended_before(sent: pd.DataFrame, ends: np.ndarray, redeemed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of mailings that ended by the time of each row's sending, and of those redeemed; both of shape (N,)."""
    order = np.argsort(ends, kind="stable")
    place = np.searchsorted(ends[order], sent.sent_at.to_numpy(), side="right")
    return place.astype(float), np.append(0, np.cumsum(redeemed[order]))[place].astype(float)
