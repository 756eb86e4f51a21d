"""Events as arrays of numbers: ids as indices, in the order of users, baskets and time."""

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from omniretail.core.engine import in_pieces
from omniretail.ids import Vocabulary
from omniretail.views.histories import AMOUNTS

_IDS = ("user_id", "item_id", "event_type", "channel", "store_id")
_NUMBERS = (*AMOUNTS, "weight")


@dataclass(frozen=True)
class EncodedEvents:
    """E events, ordered by user, basket and time; ties in the order of the file, else by item and all other columns.

    Attributes:
        vocabularies: of ``user_id``, ``item_id``, ``event_type``, ``channel`` and, where there is one, ``store_id``.
        codes: by the same names, indices into the vocabularies, -1 where an event has none; int32, each of shape (E,).
        timestamp: seconds since 1970, whole ones; int64, shape (E,).
        basket: number of the basket within the user's history, 0 the oldest; int32, shape (E,).
        numbers: amounts and the weight, NaN where unknown, as float32, and whether the event is a purchase, as bool, of
            those that the events have; each of shape (E,).
    """

    vocabularies: dict[str, Vocabulary]
    codes: dict[str, np.ndarray]
    timestamp: np.ndarray
    basket: np.ndarray
    numbers: dict[str, np.ndarray]


def encoded(events: ibis.Table) -> EncodedEvents:
    """Canonical events as arrays; ids are numbered piece by piece, so that their texts are never all in memory.

    Baskets are those of ``splits.baskets.with_basket_numbers``.

    Args:
        events: with ``file_order`` where the file has an order.
    """
    table = _as_arrow(events)
    vocabularies, codes = {}, {}
    for name in (each for each in (*_IDS, "basket_id") if each in table.column_names):
        vocabularies[name], codes[name] = _numbered(table[name])
    numbers = {name: table[name].to_numpy() for name in (*_NUMBERS, "purchase") if name in table.column_names}
    moment = table["timestamp"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    user, basket_id = codes["user_id"], codes.pop("basket_id", None)
    vocabularies.pop("basket_id", None)
    has_order = "file_order" in table.column_names
    order = table["file_order"].to_numpy() if has_order else _by_value(basket_id, codes, numbers)
    del table
    first = _sorting(user, moment, order)
    in_time = [_taken(each, first) for each in (user, moment, order, basket_id)]
    basket = _baskets(*in_time)
    second = _sorting(in_time[0], basket, *in_time[1:3])
    place = second if first is None else first if second is None else first[second]
    return EncodedEvents(
        vocabularies=vocabularies,
        codes={name: _taken(each, place) for name, each in codes.items()},
        timestamp=_taken(moment, place) // 1_000_000,
        basket=_taken(basket, second),
        numbers={name: _taken(each, place) for name, each in numbers.items()},
    )


def _as_arrow(events: ibis.Table) -> pa.Table:
    """The columns that count; ids as dictionaries that all pieces share."""
    has = [name for name in (*_IDS, "basket_id", "file_order", "purchase") if name in events.columns]
    numbers = {name: events[name].cast("float32") for name in _NUMBERS if name in events.columns}
    chosen = events.select(*has, "timestamp", **numbers)
    pieces = [_encoded_piece(piece) for piece in in_pieces(chosen)]
    return pa.Table.from_batches(pieces).unify_dictionaries() if pieces else chosen.to_pyarrow()


def _encoded_piece(piece: pa.RecordBatch) -> pa.RecordBatch:
    columns = {name: piece[name] for name in piece.schema.names}
    ids = {name: columns[name].dictionary_encode() for name in (*_IDS, "basket_id") if name in columns}
    return pa.RecordBatch.from_pydict(columns | ids)


def _numbered(column: pa.ChunkedArray) -> tuple[Vocabulary, np.ndarray]:
    """The vocabulary of a column and its codes, -1 where null."""
    whole: Any = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    whole = whole if isinstance(whole, pa.DictionaryArray) else whole.dictionary_encode()
    values = pd.Series(whole.dictionary.to_pandas())
    vocabulary = Vocabulary.of(values.dropna())
    rank = np.append(vocabulary.encode(values), np.int32(-1))
    return vocabulary, rank[whole.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)]


def _by_value(basket_id: np.ndarray | None, codes: dict[str, np.ndarray], numbers: dict[str, np.ndarray]) -> np.ndarray:
    """An order of rows that have none: by basket, item and all other columns, nulls last; shape (E,)."""
    named = {"basket_id": basket_id} if basket_id is not None else {}
    keys = [_nulls_last(codes[name]) for name in ("item_id", "event_type", "channel", "store_id") if name in codes]
    keys = [_nulls_last(each) for each in named.values()] + keys + [numbers[name] for name in numbers]
    order = np.empty(len(keys[0]), dtype=np.int64)
    order[np.lexsort(keys[::-1])] = np.arange(len(order))
    return order


def _nulls_last(codes: np.ndarray) -> np.ndarray:
    return np.where(codes < 0, np.iinfo(np.int32).max, codes)


def _taken(values: Any, place: np.ndarray | None) -> Any:
    return values if place is None or values is None else values[place]


def _sorting(*keys: np.ndarray) -> np.ndarray | None:
    """The indices that sort by several keys, the first one first; None where the rows are in order as they are."""
    return None if _are_sorted(keys) else np.lexsort(keys[::-1])


def _are_sorted(keys: tuple[np.ndarray, ...]) -> bool:
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        if (tied & (key[1:] < key[:-1])).any():
            return False
        tied &= key[1:] == key[:-1]
    return True


def _baskets(user: np.ndarray, moment: np.ndarray, order: np.ndarray, basket_id: np.ndarray | None) -> np.ndarray:
    """The number of each row's basket, of rows by user, moment and order; shape (E,)."""
    if basket_id is None:
        return _renumbered(user, _changes(user, moment))
    without = basket_id < 0
    key = np.where(without, moment, basket_id)  # a row without a basket is one with the others of its moment
    heads = np.flatnonzero(_changes(user, without, key))  # of runs; a basket may have several
    of = [each[heads] for each in (user, without, key)]
    by_basket = np.lexsort(of[::-1])
    begins = np.flatnonzero(_changes(*(each[by_basket] for each in of)))
    lowest = np.minimum.reduceat(order, heads)[by_basket] if len(heads) else order
    starts = moment[heads][by_basket]
    if len(begins):
        starts, lowest = (np.minimum.reduceat(each, begins) for each in (starts, lowest))
    owner = of[0][by_basket][begins]
    in_time = np.lexsort((lowest, starts, owner))
    number = np.empty(len(begins), dtype=np.int32)
    number[in_time] = _renumbered(owner[in_time], np.ones(len(begins), dtype=bool))
    of_head = np.empty(len(heads), dtype=np.int32)
    of_head[by_basket] = np.repeat(number, np.diff(np.append(begins, len(heads))))
    return np.repeat(of_head, np.diff(np.append(heads, len(user))))


def _changes(*keys: np.ndarray) -> np.ndarray:
    """True where a row differs from the one before it, and for the first; shape (E,)."""
    changed = np.ones(len(keys[0]), dtype=bool)
    changed[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return changed


def _renumbered(user: np.ndarray, new: np.ndarray) -> np.ndarray:
    """How many rows of the user are new up to each, from 0; the first row of each user is; shape (E,)."""
    number = np.cumsum(new, dtype=np.int32) - 1
    first = _changes(user)
    starts = number[first]
    return number - np.repeat(starts, np.diff(np.append(np.flatnonzero(first), len(user)))).astype(np.int32)
