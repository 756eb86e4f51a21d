"""One evaluation ready for models: what may be learned from, who is judged, and on what."""

from dataclasses import dataclass
from datetime import UTC

import ibis
import numpy as np
import pandas as pd
from ibis import _
from pandas.api.types import is_integer_dtype
from scipy import sparse

from omniretail.ids import Vocabulary
from omniretail.schema import Tables
from omniretail.splits.cutoff import Cutoff
from omniretail.views.histories import AMOUNTS, Histories
from omniretail.views.train import Train

_NONE = Vocabulary(pd.Index([], dtype=object))


@dataclass(frozen=True)
class Fold:
    """A training set and its examination.

    Attributes:
        train: what the model learns from.
        user_ids: raw ids of the U judged users, ascending; shape (U,).
        users: their histories before the cutoff (empty for a user first seen after it).
        held_out: True where the user took a known item after the cutoff; shape (U, I).
        n_held_out: distinct held-out items per user, those the catalogue does not know included; shape (U,).
    """

    train: Train
    user_ids: np.ndarray
    users: Histories
    held_out: sparse.csr_array
    n_held_out: np.ndarray


def fold(tables: Tables, cutoff: Cutoff) -> Fold:
    """Number the ids and lay the events out as arrays."""
    train = training_view(tables, cutoff)
    pairs = cutoff.held_out.select("user_id", "item_id").distinct().to_pandas()
    judged = Vocabulary.of(pairs.user_id)
    row, item_idx = judged.encode(pairs.user_id), train.items.encode(pairs.item_id)
    known = item_idx >= 0
    ones = np.ones(known.sum(), dtype=bool)
    return Fold(
        train=train,
        user_ids=np.asarray(judged.ids),
        users=train.histories.take(train.users.encode(judged.ids.to_numpy())),
        held_out=sparse.csr_array((ones, (row[known], item_idx[known])), shape=(len(judged), len(train.items))),
        n_held_out=np.bincount(row, minlength=len(judged)),
    )


def training_view(tables: Tables, cutoff: Cutoff) -> Train:
    """The events before the cutoff, numbered; nothing after it has any influence."""
    events = _ordered(cutoff.before).to_pandas()
    users, items = Vocabulary.of(events.user_id), Vocabulary.of(events.item_id)
    event_types, channels = Vocabulary.of(events.event_type), Vocabulary.of(events.channel)
    stores = Vocabulary.of(events.store_id.dropna()) if "store_id" in events else _NONE
    user_idx = users.encode(events.user_id)
    histories = Histories(
        user_idx=np.arange(len(users), dtype=np.int32),
        offsets=np.searchsorted(user_idx, np.arange(len(users) + 1)),
        item_idx=items.encode(events.item_id),
        timestamp=events.second.to_numpy(np.int64),
        basket=events.basket.to_numpy(np.int32),
        n_items=len(items),
        event_type=event_types.encode(events.event_type).astype(np.int8),
        channel=channels.encode(events.channel).astype(np.int8),
        **({"store": stores.encode(events.store_id)} if "store_id" in events else {}),
        **{name: events[name].to_numpy(np.float32) for name in AMOUNTS if name in events},
    )
    at = int(cutoff.at.replace(tzinfo=UTC).timestamp()) if cutoff.at else int(histories.timestamp.max()) + 1
    return Train(
        histories=histories,
        users=users,
        items=items,
        item_table=_attributes(tables.items, "item_id", items),
        at=at,
        user_table=None if tables.users is None else _attributes(tables.users, "user_id", users),
        event_types=event_types,
        channels=channels,
        stores=stores,
        zone=tables.card.zone if tables.card.clock else "",
    )


def with_baskets(events: ibis.Table) -> ibis.Table:
    """Canonical events, each with its ``second`` since 1970 and the number of its ``basket`` in the user's history."""
    if "basket_id" in events.columns:
        start = events.timestamp.min().over(group_by=["user_id", "basket_id"])
        events = events.mutate(_start=start, _basket=events.basket_id)
    else:  # without basket ids, what a user takes at one moment is one basket
        events = events.mutate(_start=events.timestamp, _basket=events.timestamp)
    number = ibis.dense_rank().over(group_by="user_id", order_by=["_start", "_basket"])
    events = events.mutate(basket=number, second=_.timestamp.epoch_seconds())
    given = [name for name in ("store_id", *AMOUNTS) if name in events.columns]
    return events.select("user_id", "item_id", "timestamp", "second", "basket", "event_type", "channel", *given)


def _ordered(events: ibis.Table) -> ibis.Table:
    """Events by user, basket, time and item, each with its basket's number; an item's lines in a basket by all else."""
    columns = with_baskets(events)
    first = ("user_id", "basket", "timestamp", "item_id")
    ties = [name for name in columns.columns if name not in (*first, "second")]
    return columns.order_by(*first, *ties)  # last, or the engine may forget the order


def _attributes(table: ibis.Table | None, key: str, ids: Vocabulary) -> pd.DataFrame:
    known = pd.DataFrame({key: ids.ids})
    if table is None:
        return known
    given = table.to_pandas()
    joined = known.merge(given, on=key, how="left", validate="1:1")
    numbers = [name for name in given if is_integer_dtype(given[name]) and not is_integer_dtype(joined[name])]
    return joined.astype(dict.fromkeys(numbers, "Int64"))  # whole numbers stay whole beside what is missing
