"""Mailings joined with their offers and redemptions; rows that do not fit are dropped and counted."""

from dataclasses import dataclass

import pandas as pd

from omniretail.schema import DataError, Tables

_KEY = ["user_id", "offer_id"]


@dataclass(frozen=True)
class Mailings:
    """One row per customer and offer sent.

    Attributes:
        sent: ``user_id, offer_id, sent_at, starts_at, ends_at, redeemed_at, kind, channel, discount``, ordered by time,
            offer and customer; ``redeemed_at`` is the first redemption in ``[sent_at, ends_at)``, empty where none.
        redeemed: ``user_id, offer_id, timestamp`` of every redemption of these mailings.
        left_out: dropped rows, counted by reason.
    """

    sent: pd.DataFrame
    redeemed: pd.DataFrame
    left_out: dict[str, int]


def mailings(tables: Tables) -> Mailings:
    """Join mailings, offers and redemptions.

    Raises:
        DataError: where the source has no offers, or no mailing is left.
    """
    if tables.offers is None or tables.offer_events is None:
        raise DataError(
            f"{tables.card.title} has no offers: choose a source with offers and their mailings, "
            "such as source=complete_journey"
        )
    offers, events = tables.offers.to_pandas(), tables.offer_events.to_pandas()
    left_out: dict[str, int] = {}
    reversed_dates = offers.end <= offers.start
    left_out["offer ends before it starts"] = int(reversed_dates.sum())
    dated = offers.loc[~reversed_dates].rename(columns={"start": "starts_at", "end": "ends_at"})
    mailed = events.loc[events.event_type == "sent", [*_KEY, "timestamp"]].rename(columns={"timestamp": "sent_at"})
    first = mailed.sort_values(["sent_at", *_KEY], kind="stable").drop_duplicates(_KEY)
    left_out["sent twice"] = len(mailed) - len(first)
    if "discount" not in dated:
        dated["discount"] = float("nan")
    sent = first.merge(dated[["offer_id", "starts_at", "ends_at", "kind", "channel", "discount"]], on="offer_id")
    left_out["mailing of an offer that is missing or left out"] = len(first) - len(sent)
    inside = sent.sent_at < sent.ends_at
    left_out["sent after the offer had ended"] = int((~inside).sum())
    sent = sent[inside].sort_values(["sent_at", "offer_id", "user_id"], kind="stable", ignore_index=True)
    if sent.empty:
        raise DataError(f"{tables.card.title} has no mailing that can be judged: {_counts(left_out)}")
    redeemed, misfits = _redeemed(sent, events)
    first_use = redeemed.groupby(_KEY, as_index=False).agg(redeemed_at=("timestamp", "min"))
    sent = sent.merge(first_use, on=_KEY, how="left", validate="1:1")
    return Mailings(sent, redeemed, {why: n for why, n in (left_out | misfits).items() if n})


def _redeemed(sent: pd.DataFrame, events: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Redemptions within the time of a mailing, and the other redemptions counted."""
    used = events.loc[events.event_type == "redeemed", [*_KEY, "timestamp"]]
    matched = used.merge(sent[[*_KEY, "sent_at", "ends_at"]], on=_KEY, how="left")
    mailed = matched.sent_at.notna()
    in_time = mailed & (matched.timestamp >= matched.sent_at) & (matched.timestamp < matched.ends_at)
    counts = {
        "redemption without a mailing": int((~mailed).sum()),
        "redemption outside the offer's time": int((mailed & ~in_time).sum()),
    }
    redeemed = matched.loc[in_time, [*_KEY, "timestamp"]]
    return redeemed.sort_values(["timestamp", *_KEY], kind="stable", ignore_index=True), counts


def _counts(counts: dict[str, int]) -> str:
    return " · ".join(f"{why} {n:,}" for why, n in counts.items() if n) or "there is none"
