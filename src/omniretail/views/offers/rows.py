"""Offer rows: one per customer and offer sent, features as of the time of sending, label: redeemed in its time."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import ibis
import numpy as np
import pandas as pd

from omniretail.core.engine import connect
from omniretail.schema import DataError, Tables
from omniretail.views.offers.dictionary import OfferFeature, dictionary
from omniretail.views.offers.item_attributes import attribute_columns, offer_attributes
from omniretail.views.offers.item_match import habits, level_match, past_lines
from omniretail.views.offers.mailings import Mailings, mailings
from omniretail.views.offers.redemption_history import past_offers

_SMOOTHING = 2.0
_EMPTY_WHERE_NEVER = ("_days_since", "recency_days", "tenure_days", "_mean", "discount_share", "discounted_lines")
_RANKED = {
    "rank_offered_items": "offered_items_bought",
    "rank_offered_share": "offered_share",
    "rank_offered_recent": "offered_lines_91",
}


@dataclass(frozen=True)
class OfferRows:
    """N mailings, ordered by the time of sending, offer and customer.

    Attributes:
        rows: their features; numbers are float64, NaN where earlier purchases do not tell; shape (N, F).
        user_id: raw ids; shape (N,).
        offer_id: raw ids; shape (N,).
        sent_at: UTC; features depend on events before it only; shape (N,).
        starts_at: start of the offer, by which splits divide offers; shape (N,).
        ends_at: end of the offer, exclusive; shape (N,).
        redeemed_at: first redemption, NaT where there is none; shape (N,).
        until: end of the log.
        features: the dictionary of the columns.
        left_out: mailings and redemptions that do not fit, counted by reason.
    """

    rows: pd.DataFrame
    user_id: np.ndarray
    offer_id: np.ndarray
    sent_at: np.ndarray
    starts_at: np.ndarray
    ends_at: np.ndarray
    redeemed_at: np.ndarray
    until: np.datetime64
    features: list[OfferFeature]
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def y(self) -> np.ndarray:
        """1 where redeemed in time, 0 where not, NaN where the log ends before the offer does; shape (N,)."""
        return self.outcome(self.until)

    def outcome(self, at: np.datetime64) -> np.ndarray:
        """``y`` as of a time: NaN for offers that have not ended by then; shape (N,)."""
        return np.where(self.ends_at <= at, (~np.isnat(self.redeemed_at)).astype(np.float64), np.nan)

    def take(self, mask: np.ndarray) -> "OfferRows":
        """The rows where ``mask`` is True; shape of the mask (N,)."""
        names = ("user_id", "offer_id", "sent_at", "starts_at", "ends_at", "redeemed_at")
        rows = self.rows.loc[mask].reset_index(drop=True)
        return replace(self, rows=rows, **{name: getattr(self, name)[mask] for name in names})

    def columns(self, groups: Sequence[str]) -> list[str]:
        """Names of the features of some groups, in order."""
        return [each.name for each in self.features if each.group in groups]


def offer_rows(
    tables: Tables, levels: Sequence[str] = (), attribute_values: bool = False, until: datetime | None = None
) -> OfferRows:
    """Features and outcomes of every mailing.

    Args:
        tables: with offers and their events.
        levels: columns of the item table by which an offer's items are matched, coarse to fine; those that it lacks are
            ignored.
        attribute_values: add the group ``attribute_values``, of the last level.
        until: end of the log, UTC; None: its last event.

    Raises:
        DataError: where the source has no offers, or no dates.
    """
    if not tables.card.clock:
        raise DataError(
            f"{tables.card.title} has an order of events but no times, and offers need dates: choose another source"
        )
    mailed = mailings(tables)
    connect()
    levels = [level for level in levels if tables.items is not None and level in tables.items.columns]
    values = _values_of(tables, levels[-1]) if attribute_values and levels else []
    table = _features(mailed, tables, levels, values)
    features = dictionary(levels, values, _SMOOTHING)
    sent = mailed.sent
    if until is None:
        until = tables.events["timestamp"].max().to_pyarrow().as_py()
    return OfferRows(
        rows=pd.DataFrame(table[[each.name for each in features]]),
        user_id=sent.user_id.to_numpy(),
        offer_id=sent.offer_id.to_numpy(),
        **{n: _times(sent, n) for n in ("sent_at", "starts_at", "ends_at", "redeemed_at")},
        until=np.datetime64(until, "us"),
        features=features,
        left_out=mailed.left_out | _without_items(sent, tables),
    )


def _features(mailed: Mailings, tables: Tables, levels: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    sent = mailed.sent
    offered = {level: offer_attributes(tables, level) for level in levels}
    finest = offered[levels[-1]] if levels else offer_attributes(replace(tables, items=None), "")
    with _written(past_lines(sent, tables, levels)) as lines:
        parts = [habits(lines), *(level_match(lines, offered[level], level) for level in levels)]
        if values:
            parts.append(attribute_columns(lines, finest, list(values), sent, levels[-1]))
    table = pd.concat([part.reindex(sent.index) for part in parts], axis=1)
    counts = [name for name in table if not str(name).endswith(_EMPTY_WHERE_NEVER)]
    filled = table.fillna(dict.fromkeys(counts, 0.0))
    table = pd.concat([filled, _of_offer(sent, tables), past_offers(mailed, finest, _SMOOTHING)], axis=1)
    return pd.concat([table, _among_recipients(table, sent, levels)], axis=1)


def _among_recipients(table: pd.DataFrame, sent: pd.DataFrame, levels: Sequence[str]) -> pd.DataFrame:
    """Ranks among the recipients of an offer at one time, and the share of offered items that were ever bought."""
    together = [sent.offer_id, sent.sent_at]
    ranked = _RANKED | {f"{level}_rank": f"{level}_cosine" for level in levels}
    columns = {name: table[of].groupby(together).rank(pct=True) for name, of in ranked.items()}
    columns["offered_coverage"] = (table.offered_items_bought / table.offer_items).where(table.offer_items > 0)
    return pd.DataFrame(columns)


def _values_of(tables: Tables, level: str) -> list[str]:
    """All values of a column of the item table, in order."""
    assert tables.items is not None
    return sorted(tables.items.select(text=tables.items[level].cast("string")).distinct().to_pandas().text.dropna())


@contextmanager
def _written(lines: ibis.Table) -> Iterator[ibis.Table]:
    """The join computed once, in a file that several aggregations read."""
    connection = connect()
    with tempfile.TemporaryDirectory() as folder:
        connection.to_parquet(lines, f"{folder}/past_lines.parquet")
        yield connection.read_parquet(f"{folder}/past_lines.parquet")


def _of_offer(sent: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": sent.kind.astype(object),
            "channel": sent.channel.astype(object),
            "offer_discount": sent.discount.astype(np.float64),
            "offer_days": (sent.ends_at - sent.sent_at) / pd.Timedelta(days=1),
            "offer_items": sent.offer_id.map(_n_items(tables)).fillna(0).astype(np.float64),
            "offer_recipients": sent.groupby(["offer_id", "sent_at"]).user_id.transform("size").astype(np.float64),
        }
    )


def _n_items(tables: Tables) -> pd.Series:
    if tables.offer_items is None:
        return pd.Series(dtype=np.float64)
    return tables.offer_items.select("offer_id", "item_id").distinct().to_pandas().offer_id.value_counts()


def _without_items(sent: pd.DataFrame, tables: Tables) -> dict[str, int]:
    """Mailings without offered items to match, counted; they stay among the rows."""
    n = int((~sent.offer_id.isin(_n_items(tables).index)).sum())
    return {"without a match, not left out: mailing of an offer without items": n} if n else {}


def _times(sent: pd.DataFrame, name: str) -> np.ndarray:
    return sent[name].to_numpy().astype("datetime64[us]")
