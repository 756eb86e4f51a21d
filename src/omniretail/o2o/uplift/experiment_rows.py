"""Rows of an experiment: one per campaign and customer with a history when it began, sent its coupon or not."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.core.engine import count
from omniretail.core.errors import DataError
from omniretail.models.profiles.table import ProfileTable
from omniretail.o2o.uplift.reaction_features import offered_items, reaction_features
from omniretail.schema import Tables
from omniretail.splits.cutoff import Cutoff
from omniretail.views.fold import training_view
from omniretail.views.train import Train

log = logging.getLogger(__name__)

INDEX = ["user_id", "offer_id"]
"""Levels of the rows' index: raw ids."""

_RECENT_S = 91 * 24 * 3600


@dataclass(frozen=True)
class Experiment:
    """N rows.

    Attributes:
        rows: features as of the campaign's start, NaN where a log cannot say, indexed by ``INDEX``; shape (N, D).
        treated: True where the coupon was sent; shape (N,).
        y: 1 where the customer bought anything from its start to its end; shape (N,).
        cost: of treating each customer; None where unknown; shape (N,).
    """

    rows: pd.DataFrame
    treated: np.ndarray
    y: np.ndarray
    cost: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_campaigns(self) -> int:
        """Campaigns that the rows are of."""
        return self.rows.index.unique("offer_id").size


def campaigns(tables: Tables) -> pd.DataFrame:
    """Offers with mailings that ended before the log does, by start: ``offer_id, start, end``.

    Those that end before they start are left out, and counted in the log.

    Raises:
        DataError: where the source has no offers, or no two of them are over.
    """
    if tables.offers is None or tables.offer_events is None or not tables.card.clock:
        raise DataError(f"{tables.card.title} has no offers with dates; choose another source, such as source=simulate")
    sent = tables.offer_events.filter(_.event_type == "sent").select("offer_id").distinct()
    last = tables.events.timestamp.max().to_pyarrow().as_py()
    reversed_ = count(tables.offers.filter(_.end <= _.start))
    if reversed_:
        log.warning("%d offers end before they start and are left out", reversed_)
    over = tables.offers.filter(_.end > _.start, _.end <= _midnight_after(last)).semi_join(sent, "offer_id")
    table = over.select("offer_id", "start", "end").order_by(["start", "offer_id"]).to_pandas()
    if len(table) < 2:
        raise DataError(f"{tables.card.title}: {len(table)} campaigns are over; uplift takes two or more")
    return table


def experiment(
    tables: Tables, offers: pd.DataFrame, levels: Sequence[str] = ("category",), reactions: bool = False
) -> Experiment:
    """The rows of some campaigns, each with features as of its start.

    Args:
        tables: with offers and their events.
        offers: from ``campaigns``.
        levels: columns of the item table whose values become features.
        reactions: whether there are ``reaction_features`` too.
    """
    return stacked([_campaign(tables, offer, levels, reactions) for offer in offers.itertuples(index=False)])


def stacked(parts: Sequence[Experiment]) -> Experiment:
    """Several campaigns as one; features of values that were not sold before an earlier campaign are NaN there."""
    return Experiment(
        rows=pd.concat([part.rows for part in parts]),
        treated=np.concatenate([part.treated for part in parts]),
        y=np.concatenate([part.y for part in parts]),
    )


def _campaign(tables: Tables, offer: tuple, levels: Sequence[str], reactions: bool) -> Experiment:
    offer_id, start, end = offer
    cutoff = Cutoff(
        before=tables.feedback.filter(_.timestamp < start),
        held_out=tables.purchases.filter(_.timestamp >= start, _.timestamp < end),
        at=start.to_pydatetime(),
    )
    train = training_view(tables, cutoff)
    ids = train.users.ids.to_numpy()
    assert tables.offer_events is not None
    sent = tables.offer_events.filter(_.event_type == "sent", _.offer_id == offer_id)
    habits = ProfileTable(levels).fit(train).table(train.histories, train.at).reset_index(drop=True)
    frames = [habits, _interest(tables, train, offer_id)]
    if reactions:
        earlier: Any = campaigns(tables)
        frames.append(reaction_features(tables, train, offer_id, earlier[earlier.end <= start]))
    rows = pd.concat(frames, axis=1).astype(np.float64)
    return Experiment(
        rows=rows.set_index(pd.MultiIndex.from_arrays([ids, np.full(len(ids), offer_id)], names=INDEX)),
        treated=np.isin(ids, _ids(sent)),
        y=np.isin(ids, _ids(cutoff.held_out)).astype(np.int64),
    )


def _interest(tables: Tables, train: Train, offer_id: object) -> pd.DataFrame:
    """What each customer has bought of the offered items."""
    histories = train.histories
    hit = offered_items(tables, train, offer_id)[histories.item_idx].astype(np.float64)
    recent = (histories.timestamp >= train.at - _RECENT_S).astype(np.float64)
    lines = {
        name: np.bincount(histories.rows, weight, len(histories))
        for name, weight in {"all": np.ones(len(hit)), "hit": hit, "recent": hit * recent}.items()
    }
    return pd.DataFrame(
        {
            "offered_lines": lines["hit"],
            "offered_lines_91": lines["recent"],
            "offered_share": lines["hit"] / np.maximum(lines["all"], 1),
        }
    )


def _ids(table: ibis.Table) -> np.ndarray:
    return table.select("user_id").distinct().to_pandas().user_id.to_numpy()


def _midnight_after(last: datetime) -> datetime:
    """The log's last day counts as whole."""
    return datetime(last.year, last.month, last.day) + timedelta(days=1)
