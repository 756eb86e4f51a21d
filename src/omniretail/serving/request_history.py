"""Histories that come with a request: lists of events, as JSON or Parquet have them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.serving.validation import (
    RequestError,
    as_index,
    as_list,
    as_number,
    as_seconds,
    indices,
    shown,
    values_of,
)
from omniretail.views.histories import CATEGORY, NO_TIME, Histories
from omniretail.views.train import Train

_LARGEST = float(np.finfo(np.float32).max)
EVENT_FIELDS = ("item_id", "timestamp", "event_type", "channel", "store_id", "quantity", "value")
"""Fields of an event; only ``item_id`` is required, and a bare id stands for an event without other fields."""


def request_histories(frame: pd.DataFrame, train: Train) -> tuple[Histories, np.ndarray]:
    """The histories of requests: by ``user_id`` as of the training's cutoff, or the ``history`` in the request instead.

    Args:
        frame: requests, a row each.
        train: histories of known customers.

    Returns:
        The histories, empty where nothing is known, and how many events of each row name an unknown item; shape (B,).

    Raises:
        RequestError: naming ``user_id`` or ``history``.
    """
    lists = values_of(frame, "history")
    users = train.histories.take(indices("user_id", values_of(frame, "user_id"), train.users))
    n_unknown = np.zeros(len(frame), dtype=np.int64)
    rows = np.flatnonzero([each is not None for each in lists])
    if len(rows):
        own, n_unknown[rows] = histories_of([lists[row] for row in rows], train)
        place = np.arange(len(frame))
        place[rows] = len(frame) + np.arange(len(rows))
        users = users.then(own).take(place)
    return users, n_unknown


def request_times(frame: pd.DataFrame, users: Histories) -> np.ndarray:
    """The field ``at`` of requests, seconds since 1970, ``NO_TIME`` where a row has none; shape (B,).

    Raises:
        RequestError: where it is no time, or lies before an event of the history.
    """
    times, earliest = np.full(len(frame), NO_TIME), users.as_of(NO_TIME)
    for row, value in enumerate(values_of(frame, "at")):
        if value is not None:
            (times[row],) = as_seconds("at", [value])
            if times[row] < earliest[row]:
                raise RequestError(f"at: {shown(value)} lies before an event of the customer's history")
    return times


def histories_of(lists: Sequence[Any], train: Train) -> tuple[Histories, np.ndarray]:
    """Lists of events as histories of customers unknown to training.

    Events of one time are one basket. Events without a time are taken to be in order, one basket each, the last of
    them a second before the model's cutoff; either all events of a history have a time, or none.

    Args:
        lists: per row a list of events, oldest first where they have no time.
        train: the vocabularies of items, channels, stores and event types.

    Returns:
        The histories, and how many events of each row name an item that the model does not know and are left out;
        shape (B,).

    Raises:
        RequestError: naming ``history``, where an event is not as it should be.
    """
    if not lists:
        return Histories.of([], len(train.items)), np.zeros(0, dtype=np.int64)
    parts = [_arrays(as_list("history", events), train) for events in lists]
    n_unknown = np.array([part.pop("n_unknown") for part in parts], dtype=np.int64)
    lengths = [len(part["item_idx"]) for part in parts]
    return Histories(
        user_idx=np.full(len(parts), -1, dtype=np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        n_items=len(train.items),
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
    ), n_unknown


def _arrays(events: list[Any], train: Train) -> dict[str, Any]:
    """One row's events as arrays, sorted by time, without those of unknown items."""
    columns = _columns(events)
    item_idx = indices("history", columns.get("item_id", []), train.items)
    seconds = _seconds(columns["timestamp"]) if "timestamp" in columns else np.arange(-len(item_idx), 0) + train.at
    order = np.argsort(seconds, kind="stable")
    order = order[item_idx[order] >= 0]
    times = seconds[order]
    kinds = _codes("event_type", columns, train.event_types)[order].astype(CATEGORY)
    weight, purchase, paid = train.signals.of_codes(kinds, train.event_types.ids.tolist())
    return {
        "item_idx": item_idx[order],
        "timestamp": times,
        "basket": np.cumsum(np.diff(times, prepend=times[:1]) > 0).astype(np.int32),
        "event_type": kinds,
        "weight": weight,
        "purchase": purchase,
        "channel": _codes("channel", columns, train.channels)[order].astype(CATEGORY),
        "store": _codes("store_id", columns, train.stores)[order].astype(np.int32),
        "quantity": np.where(paid, _amounts("quantity", columns)[order], np.float32(np.nan)),
        "value": np.where(paid, _amounts("value", columns)[order], np.float32(np.nan)),
        "discount": np.full(len(order), np.nan, dtype=np.float32),
        "coupon": np.full(len(order), np.nan, dtype=np.float32),
        "n_unknown": int((item_idx < 0).sum()),
    }


def _columns(events: list[Any]) -> dict[str, list[Any]]:
    """Events as columns, None where an event lacks a field that others have; columns without a value are left out."""
    if events and not isinstance(events[0], dict):  # bare ids
        return {"item_id": events}
    fields = dict.fromkeys(field for event in events if isinstance(event, dict) for field in event)
    for field in fields:
        if field not in EVENT_FIELDS:
            raise RequestError(f"history: an event has no {field!r}; it may have {', '.join(EVENT_FIELDS)}")
    for place, event in enumerate(events):
        if not isinstance(event, dict) or event.get("item_id") is None:
            raise RequestError(f"history: event {place} has no item_id")
    columns = {field: [event.get(field) for event in events] for field in fields}
    return {field: values for field, values in columns.items() if any(value is not None for value in values)}


def _seconds(times: list[Any]) -> np.ndarray:
    """Times in seconds since 1970; shape (n,)."""
    if any(each is None for each in times):
        raise RequestError("history: some events have a timestamp and some have none; give it for all or for none")
    return as_seconds("history: timestamp", times)


def _codes(field: str, columns: dict[str, list[Any]], vocabulary: Vocabulary) -> np.ndarray:
    """Indices of values, -1 where an event has none; so has a store that is not in the vocabulary; shape (n,)."""
    values = columns.get(field, [None] * len(columns.get("item_id", [])))
    if field == "store_id":
        return indices("history: store_id", values, vocabulary)
    return np.array([-1 if each is None else as_index(f"history: {field}", each, vocabulary) for each in values])


def _amounts(field: str, columns: dict[str, list[Any]]) -> np.ndarray:
    values = columns.get(field, [None] * len(columns.get("item_id", [])))
    amounts = [np.nan if each is None else as_number(f"history: {field}", each, _LARGEST) for each in values]
    return np.array(amounts, dtype=np.float32)
