"""One evaluation as arrays: the training set, the users who are judged, and what they are judged by."""

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import _
from pandas.api.types import is_integer_dtype
from scipy import sparse

from omniretail.core.times import epoch_seconds
from omniretail.ids import Vocabulary
from omniretail.schema import DataError, Tables
from omniretail.splits.baskets import with_basket_numbers
from omniretail.splits.cutoff import Cutoff
from omniretail.views.histories import AMOUNTS, CATEGORY, MAX_CATEGORIES, Histories
from omniretail.views.train import Train

_NONE = Vocabulary(pd.Index([], dtype=object))


@dataclass(frozen=True)
class Fold:
    """A training set and the held-out items of the users who are judged.

    Attributes:
        train: what the model learns from.
        user_ids: raw ids of the U judged users, ascending; shape (U,).
        users: their histories before the cutoff (empty for a user first seen after it).
        held_out: True where the user took an item of the catalogue after the cutoff; shape (U, I).
        n_held_out: distinct held-out items per user, items outside the catalogue included; shape (U,).
    """

    train: Train
    user_ids: np.ndarray
    users: Histories
    held_out: sparse.csr_array
    n_held_out: np.ndarray


def fold(tables: Tables, cutoff: Cutoff) -> Fold:
    """Encode ids and events as arrays.

    Raises:
        DataError: where ``event_type`` or ``channel`` has too many values to be categories.
    """
    train = training_view(tables, cutoff)
    pairs = cutoff.held_out.select("user_id", "item_id").distinct().to_pandas()
    judged = Vocabulary.of(pairs.user_id)
    row, item_idx = judged.encode(pairs.user_id), train.items.encode(pairs.item_id)
    in_catalogue = item_idx >= 0
    ones = np.ones(in_catalogue.sum(), dtype=bool)
    return Fold(
        train=train,
        user_ids=np.asarray(judged.ids),
        users=train.histories.take(train.users.encode(judged.ids.to_numpy())),
        held_out=sparse.csr_array(
            (ones, (row[in_catalogue], item_idx[in_catalogue])), shape=(len(judged), len(train.items))
        ),
        n_held_out=np.bincount(row, minlength=len(judged)),
    )


def training_view(tables: Tables, cutoff: Cutoff) -> Train:
    """The training set: a function of the events before the cutoff and of nothing else.

    Raises:
        DataError: where ``event_type`` or ``channel`` has too many values to be categories.
    """
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
        event_type=_codes(events.event_type, event_types),
        channel=_codes(events.channel, channels),
        **({"store": stores.encode(events.store_id)} if "store_id" in events else {}),
        **{name: events[name].to_numpy(np.float32) for name in (*AMOUNTS, "weight") if name in events},
        **({"purchase": events.purchase.to_numpy(bool)} if "purchase" in events else {}),
    )
    at = epoch_seconds(cutoff.at) if cutoff.at else int(histories.timestamp.max()) + 1
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
        signals=tables.signals.of_log(tables.events),
    )


def with_baskets(events: ibis.Table) -> ibis.Table:
    """Canonical events with ``second`` (since 1970) and ``basket`` (its number in the user's history)."""
    numbered = with_basket_numbers(events).mutate(second=_.timestamp.epoch_seconds())
    optional = [name for name in ("store_id", *AMOUNTS, "weight", "purchase", "file_order") if name in events.columns]
    return numbered.select("user_id", "item_id", "timestamp", "second", "basket", "event_type", "channel", *optional)


def _ordered(events: ibis.Table) -> ibis.Table:
    """Events ordered by user, basket and time; ties by the file's order, else by item and all other columns."""
    columns = with_baskets(events)
    first = ("user_id", "basket", "timestamp", "file_order" if "file_order" in columns.columns else "item_id")
    ties = [name for name in columns.columns if name not in (*first, "second")]
    return columns.order_by(*first, *ties)  # the last operation, or the engine may lose the order


def _codes(values: pd.Series, vocabulary: Vocabulary) -> np.ndarray:
    if len(vocabulary) > MAX_CATEGORIES:
        raise DataError(
            f"{values.name} has {len(vocabulary):,} values, but at most {MAX_CATEGORIES:,} are supported: "
            "check that the right column is read as " + str(values.name)
        )
    return vocabulary.encode(values).astype(CATEGORY)


def _attributes(table: ibis.Table | None, key: str, ids: Vocabulary) -> pd.DataFrame:
    in_order = pd.DataFrame({key: ids.ids})
    if table is None:
        return in_order
    attributes = table.to_pandas()
    joined = in_order.merge(attributes, on=key, how="left", validate="1:1")
    integers = [name for name in joined if is_integer_dtype(attributes[name]) and not is_integer_dtype(joined[name])]
    return joined.astype(dict.fromkeys(integers, "Int64"))  # integers stay integers beside missing values
