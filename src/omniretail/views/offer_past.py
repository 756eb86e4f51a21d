"""What became of earlier offers, as it was known when the next one was sent. Arrays; no loop over rows."""

import numpy as np
import pandas as pd

from omniretail.views.mailings import Mailings

_DAY = pd.Timedelta(days=1)


def past_offers(mailed: Mailings, alike: pd.DataFrame, smoothing: float) -> pd.DataFrame:
    """Features of the group ``past_offers``, and those of kind and likeness; one row per mailing.

    A redemption counts from its moment on, so an offer that is running counts as not redeemed until it is.

    Args:
        mailed: from ``mailings``.
        alike: likeness of two offers in [0, 1], indexed and named by offer.
        smoothing: how many offers everybody's rate weighs in a customer's own.
    """
    sent = mailed.sent.assign(row=np.arange(len(mailed.sent)))
    pairs = _pairs(sent, alike)
    totals = pairs.groupby("row").agg(
        offers_sent=("sent_at_past", "size"),
        offers_running=("running", "sum"),
        offers_redeemed=("was_redeemed", "sum"),
        redeemed_over_expected=("over_expected", "sum"),
        last_sent=("sent_at_past", "max"),
        kind_sent=("same_kind", "sum"),
        kind_redeemed=("same_kind_redeemed", "sum"),
        redeemed_alike=("alike", "sum"),
    )
    table = totals.reindex(sent.row)
    moments = sent.sent_at.reset_index(drop=True)
    table["offer_days_since"] = (moments - table.pop("last_sent").reset_index(drop=True)) / _DAY
    table = table.fillna(dict.fromkeys(table.columns.drop("offer_days_since"), 0)).reset_index(drop=True)
    uses = _uses(sent, mailed.redeemed)
    table["coupons_redeemed"] = uses.n.to_numpy()
    table["redeemed_days_since"] = (moments - uses.last_use.reset_index(drop=True)) / _DAY
    everybody = _known_rate(sent)
    table["redeemed_rate"] = (table.offers_redeemed + smoothing * everybody) / (table.offers_sent + smoothing)
    table["kind_rate"] = _kind_rate(sent, everybody)
    return table.astype(np.float64)


def _pairs(sent: pd.DataFrame, alike: pd.DataFrame) -> pd.DataFrame:
    """Each mailing with every earlier one to the same customer, and how that one stood at the moment."""
    past = sent[["row", "user_id", "offer_id", "sent_at", "ends_at", "redeemed_at", "kind"]]
    pairs = past.merge(past, on="user_id", suffixes=("", "_past"))
    pairs = pd.DataFrame(pairs[pairs.sent_at_past < pairs.sent_at])
    was_redeemed = pairs.redeemed_at_past < pairs.sent_at
    same_kind = pairs.kind == pairs.kind_past
    i, j = (alike.index.get_indexer(pairs[name].to_numpy()) for name in ("offer_id", "offer_id_past"))
    return pairs.assign(
        was_redeemed=was_redeemed.astype(float),
        running=pairs.ends_at_past > pairs.sent_at,
        same_kind=same_kind,
        same_kind_redeemed=same_kind & was_redeemed,
        alike=np.where((i >= 0) & (j >= 0) & was_redeemed, alike.to_numpy()[i, j], 0.0),
        over_expected=was_redeemed.astype(float) - _share_redeemed(sent, pairs),
    )


def _share_redeemed(sent: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    """The share of the earlier offer's mailings that had been redeemed by the moment; shape (P,)."""
    asked = pairs[["offer_id_past", "sent_at"]].drop_duplicates()
    both = asked.merge(sent, left_on="offer_id_past", right_on="offer_id", suffixes=("", "_past"))
    both = both[both.sent_at_past < both.sent_at]
    rate = both.assign(r=both.redeemed_at < both.sent_at).groupby(["offer_id_past", "sent_at"]).r.mean()
    return rate.reindex(pd.MultiIndex.from_arrays([pairs.offer_id_past, pairs.sent_at])).to_numpy(np.float64)


def _uses(sent: pd.DataFrame, redeemed: pd.DataFrame) -> pd.DataFrame:
    uses = sent[["row", "user_id", "sent_at"]].merge(redeemed[["user_id", "timestamp"]], on="user_id")
    before = uses[uses.timestamp < uses.sent_at].groupby("row").timestamp
    return pd.DataFrame({"n": before.size(), "last_use": before.max()}).reindex(sent.row).fillna({"n": 0})


def _known_rate(sent: pd.DataFrame) -> np.ndarray:
    """The share redeemed of all mailings whose time was over when the row's was sent; 0 where none was."""
    ended, redeemed = _ended_before(sent, sent.ends_at.to_numpy(), sent.redeemed_at.notna().to_numpy())
    return np.divide(redeemed, ended, out=np.zeros(len(sent)), where=ended > 0)


def _kind_rate(sent: pd.DataFrame, everybody: np.ndarray, weight: float = 50.0) -> np.ndarray:
    """The same within the offer's kind, drawn to everybody's rate as if by so many mailings."""
    rate = np.empty(len(sent))
    for kind in sent.kind.unique():  # a handful
        of_kind = (sent.kind == kind).to_numpy()
        part = pd.DataFrame(sent[of_kind])
        ended, redeemed = _ended_before(part, part.ends_at.to_numpy(), part.redeemed_at.notna().to_numpy())
        rate[of_kind] = (redeemed + weight * everybody[of_kind]) / (ended + weight)
    return rate


def _ended_before(sent: pd.DataFrame, ends: np.ndarray, redeemed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many mailings had ended by each row's sending, and how many of them redeemed; both of shape (N,)."""
    order = np.argsort(ends, kind="stable")
    place = np.searchsorted(ends[order], sent.sent_at.to_numpy(), side="right")
    return place.astype(float), np.append(0, np.cumsum(redeemed[order]))[place].astype(float)
