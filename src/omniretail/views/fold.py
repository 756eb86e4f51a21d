"""One evaluation as arrays: the training set, the users who are judged, and what they are judged by."""

from dataclasses import dataclass, replace
from typing import Literal

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
from omniretail.views.encoded_events import EncodedEvents, encoded
from omniretail.views.histories import AMOUNTS, CATEGORY, MAX_CATEGORIES, Histories
from omniretail.views.train import Train, Validation

Catalogue = Literal["sold", "listed"]
_NONE = Vocabulary(pd.Index([], dtype=object))


@dataclass(frozen=True)
class Fold:
    """A training set and the held-out items of the users who are judged.

    Attributes:
        train: what the model learns from.
        user_ids: raw ids of the U judged users, ascending; shape (U,).
        users: their histories when they are asked (empty for a user without any).
        held_out: True where the user took an item of the catalogue after the cutoff; shape (U, I).
        n_held_out: distinct held-out items per user, items outside the catalogue included; shape (U,).
    """

    train: Train
    user_ids: np.ndarray
    users: Histories
    held_out: sparse.csr_array
    n_held_out: np.ndarray


def fold(tables: Tables, cutoff: Cutoff, catalogue: Catalogue = "sold") -> Fold:
    """Encode ids and events as arrays.

    Args:
        tables: of the dataset.
        cutoff: what is learned from and what is judged.
        catalogue: see ``training_view``.

    Raises:
        DataError: where ``event_type`` or ``channel`` has too many values to be categories.
    """
    train = training_view(tables, cutoff, catalogue)
    if cutoff.validation is not None:
        chosen_by = _judged(cutoff.validation, train)
        train = replace(train, validation=Validation(chosen_by.users, chosen_by.held_out))
    return _judged(cutoff, train)


def _judged(cutoff: Cutoff, train: Train) -> Fold:
    pairs = cutoff.held_out.select("user_id", "item_id").distinct().to_pandas()
    judged = Vocabulary.of(pairs.user_id)
    row, item_idx = judged.encode(pairs.user_id), train.items.encode(pairs.item_id)
    in_catalogue = item_idx >= 0
    ones = np.ones(in_catalogue.sum(), dtype=bool)
    return Fold(
        train=train,
        user_ids=np.asarray(judged.ids),
        users=_queries(cutoff, judged, train),
        held_out=sparse.csr_array(
            (ones, (row[in_catalogue], item_idx[in_catalogue])), shape=(len(judged), len(train.items))
        ),
        n_held_out=np.bincount(row, minlength=len(judged)),
    )


def _queries(cutoff: Cutoff, judged: Vocabulary, train: Train) -> Histories:
    """Histories of the judged users, in their order, as they are when they are asked."""
    in_training = train.users.encode(judged.ids.to_numpy())
    if cutoff.histories is None:
        return train.histories.take(in_training)
    ids = judged.ids.to_numpy()
    users, histories = _known_events(encoded(cutoff.histories.semi_join(cutoff.held_out, "user_id")), train)
    times = {} if cutoff.at is None else {"served_at": np.full(len(ids), epoch_seconds(cutoff.at))}
    return replace(histories.take(users.encode(ids)), user_idx=in_training, **times)


def _known_events(events: EncodedEvents, train: Train) -> tuple[Vocabulary, Histories]:
    """Events by the vocabularies of a training set, those of items it lacks left out; and whose history is which."""
    known = {"item_id": train.items, "event_type": train.event_types, "channel": train.channels}
    codes = events.codes.copy()
    for name, vocabulary in (known | {"store_id": train.stores}).items():
        if name in codes:
            index = np.append(vocabulary.encode(events.vocabularies[name].ids.to_numpy()), np.int32(-1))
            codes[name] = index[codes[name]]
    users = events.vocabularies["user_id"]
    histories = _histories(replace(events, codes=codes), len(users), len(train.items))
    return users, histories.keep(histories.item_idx >= 0)


def training_view(tables: Tables, cutoff: Cutoff, catalogue: Catalogue = "sold") -> Train:
    """The training set: a function of the events before the cutoff and of undated tables, and of nothing else.

    Args:
        tables: of the dataset.
        cutoff: its events before the cutoff are read.
        catalogue: ``sold``: the items that have events before the cutoff; ``listed``: those of the item table too,
            which is taken to be known at the cutoff.

    Raises:
        DataError: where ``event_type`` or ``channel`` has too many values to be categories.
    """
    events = encoded(cutoff.before)
    if catalogue == "listed":
        events = _with_listed_items(events, tables)
    vocabularies = events.vocabularies
    users, items = vocabularies["user_id"], vocabularies["item_id"]
    for name in ("event_type", "channel"):
        _check_few(name, vocabularies[name])
    histories = _histories(events, len(users), len(items))
    learned = cutoff if cutoff.validation is None else cutoff.validation
    at = epoch_seconds(learned.at) if learned.at else int(histories.timestamp.max()) + 1
    return Train(
        histories=histories,
        users=users,
        items=items,
        item_table=_attributes(tables.items, "item_id", items),
        at=at,
        user_table=None if tables.users is None else _attributes(tables.users, "user_id", users),
        event_types=vocabularies["event_type"],
        channels=vocabularies["channel"],
        stores=vocabularies.get("store_id", _NONE),
        zone=tables.card.zone if tables.card.clock else "",
        signals=tables.signals.of_log(tables.events),
    )


def _with_listed_items(events: EncodedEvents, tables: Tables) -> EncodedEvents:
    """The same events by a vocabulary of items that also holds those of the item table."""
    if tables.items is None:
        raise DataError("task.catalogue=listed needs an item table; set task.catalogue=sold")
    sold = events.vocabularies["item_id"]
    listed = tables.items.select("item_id").to_pandas().item_id
    items = Vocabulary.of(np.concatenate([sold.ids.to_numpy(), listed.to_numpy()]))
    codes = items.encode(sold.ids.to_numpy())[events.codes["item_id"]]
    return replace(
        events, vocabularies=events.vocabularies | {"item_id": items}, codes=events.codes | {"item_id": codes}
    )


def with_baskets(events: ibis.Table) -> ibis.Table:
    """Canonical events with ``second`` (since 1970) and ``basket`` (its number in the user's history)."""
    numbered = with_basket_numbers(events).mutate(second=_.timestamp.epoch_seconds())
    optional = [name for name in ("store_id", *AMOUNTS, "weight", "purchase", "file_order") if name in events.columns]
    return numbered.select("user_id", "item_id", "timestamp", "second", "basket", "event_type", "channel", *optional)


def _histories(events: EncodedEvents, n_users: int, n_items: int) -> Histories:
    codes = events.codes
    return Histories(
        user_idx=np.arange(n_users, dtype=np.int32),
        offsets=np.searchsorted(codes["user_id"], np.arange(n_users + 1)),
        item_idx=codes["item_id"],
        timestamp=events.timestamp,
        basket=events.basket,
        n_items=n_items,
        **{name: codes[name].astype(CATEGORY) for name in ("event_type", "channel")},
        **({"store": codes["store_id"]} if "store_id" in codes else {}),
        **events.numbers,
    )


def _check_few(name: str, vocabulary: Vocabulary) -> None:
    if len(vocabulary) > MAX_CATEGORIES:
        raise DataError(
            f"{name} has {len(vocabulary):,} values, but at most {MAX_CATEGORIES:,} are supported: "
            "check that the right column is read as " + name
        )


def _attributes(table: ibis.Table | None, key: str, ids: Vocabulary) -> pd.DataFrame:
    in_order = pd.DataFrame({key: ids.ids})
    if table is None:
        return in_order
    attributes = table.to_pandas()
    joined = in_order.merge(attributes, on=key, how="left", validate="1:1")
    integers = [name for name in joined if is_integer_dtype(attributes[name]) and not is_integer_dtype(joined[name])]
    return joined.astype(dict.fromkeys(integers, "Int64"))  # integers stay integers beside missing values
