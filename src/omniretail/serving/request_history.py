"""Histories that come with a request: lists of events, as JSON or Parquet have them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from omniretail.serving.validation import RequestError, as_list, as_number, as_word, given, numbers
from omniretail.views.histories import Histories
from omniretail.views.train import Train

EVENT = ("item_id", "timestamp", "event_type", "channel", "store_id", "quantity", "value")
"""What an event may say; only ``item_id`` must be there, and a bare id stands for an event that says no more."""


def asked_for(frame: pd.DataFrame, train: Train) -> tuple[Histories, np.ndarray]:
    """The customers that requests ask for: by ``user_id`` as training knew them, or by the ``history`` given instead.

    Args:
        frame: requests, a row each.
        train: what is known of customers.

    Returns:
        Their histories, empty where nothing is known, and how many unknown items the histories given named; (B,).

    Raises:
        RequestError: naming ``user_id`` or ``history``.
    """
    histories = given(frame, "history")
    users = train.histories.take(numbers("user_id", given(frame, "user_id"), train.users))
    unknown = np.zeros(len(frame), dtype=np.int64)
    fresh = np.flatnonzero([each is not None for each in histories])
    if len(fresh):
        made, unknown[fresh] = histories_of([histories[row] for row in fresh], train)
        place = np.arange(len(frame))
        place[fresh] = len(frame) + np.arange(len(fresh))
        users = users.then(made).take(place)
    return users, unknown


def histories_of(told: Sequence[Any], train: Train) -> tuple[Histories, np.ndarray]:
    """The histories of customers whom training did not know.

    Events of one moment are one basket. Events without a time are taken to be in order, one basket each, the last of
    them a second before the model's cutoff; either all events of a history have a time, or none.

    Args:
        told: per row a list of events, oldest first where they have no time.
        train: whose items, channels and stores events are told in.

    Returns:
        The histories, and how many events of each row name an item that the model does not know and are left out;
        shape (B,).

    Raises:
        RequestError: naming ``history``, where an event is not as it should be.
    """
    rows = [_columns(as_list("history", events), train) for events in told]
    lengths = np.array([len(row["item_idx"]) for row in rows], dtype=np.int64)
    unknown = np.array([row.pop("n_unknown") for row in rows], dtype=np.int64)
    joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]} if rows else {}
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    nobody = np.full(len(rows), -1, dtype=np.int32)
    if not rows:
        return Histories.of([], len(train.items)), unknown
    return Histories(user_idx=nobody, offsets=offsets, n_items=len(train.items), **joined), unknown


def _columns(events: list[Any], train: Train) -> dict[str, Any]:
    """One row's events as arrays, in the order of time, without those of unknown items."""
    if events and not isinstance(events[0], dict):  # bare ids
        told: dict[str, list[Any]] = {"item_id": events}
    else:
        told = _told(events)
    item_idx = numbers("history", told.get("item_id", []), train.items)
    seconds = _seconds(told["timestamp"]) if "timestamp" in told else np.arange(-len(item_idx), 0) + train.at
    order = np.argsort(seconds, kind="stable")
    order = order[item_idx[order] >= 0]
    n = len(order)
    moments = seconds[order]
    return {
        "item_idx": item_idx[order],
        "timestamp": moments,
        "basket": np.cumsum(np.diff(moments, prepend=moments[:1]) > 0).astype(np.int32),
        "event_type": _words("event_type", told, train.event_types, 0)[order].astype(np.int8),
        "channel": _words("channel", told, train.channels, 0)[order].astype(np.int8),
        "store": _words("store_id", told, train.stores, -1)[order].astype(np.int32),
        "quantity": _amounts("quantity", told, len(item_idx))[order],
        "value": _amounts("value", told, len(item_idx))[order],
        "discount": np.full(n, np.nan, dtype=np.float32),
        "coupon": np.full(n, np.nan, dtype=np.float32),
        "n_unknown": int((item_idx < 0).sum()),
    }


def _told(events: list[Any]) -> dict[str, list[Any]]:
    """Events as columns; what only some of them say is None in the others."""
    words = dict.fromkeys(word for event in events if isinstance(event, dict) for word in event)
    for word in words:
        if word not in EVENT:
            raise RequestError(f"history: an event has no {word!r}; it may have {', '.join(EVENT)}")
    for place, event in enumerate(events):
        if not isinstance(event, dict) or event.get("item_id") is None:
            raise RequestError(f"history: event {place} has no item_id")
    return {word: [event.get(word) for event in events] for word in words if word == "item_id" or _any(events, word)}


def _any(events: list[Any], word: str) -> bool:
    return any(event.get(word) is not None for event in events)


def _seconds(times: list[Any]) -> np.ndarray:
    """Moments in seconds since 1970, from such numbers or ISO 8601."""
    if any(each is None for each in times):
        raise RequestError("history: some events have a timestamp and some have none; give it for all or for none")
    try:
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in times):
            return np.array(times, dtype=np.float64).astype(np.int64)
        return pd.to_datetime(times, utc=True, format="ISO8601").as_unit("s").asi8
    except (ValueError, TypeError, OverflowError):
        raise RequestError("history: a timestamp is ISO 8601 or seconds since 1970") from None


def _words(field: str, told: dict[str, list[Any]], known: Any, missing: int) -> np.ndarray:
    """Numbers of words; a store that training did not know is no store."""
    n = len(told.get("item_id", []))
    if field not in told:
        return np.full(n, missing)
    if field == "store_id":
        return numbers("history: store_id", told[field], known)
    return np.array([missing if each is None else as_word(f"history: {field}", each, known) for each in told[field]])


def _amounts(field: str, told: dict[str, list[Any]], n: int) -> np.ndarray:
    if field not in told:
        return np.full(n, np.nan, dtype=np.float32)
    said = [np.nan if each is None else as_number(f"history: {field}", each) for each in told[field]]
    return np.array(said, dtype=np.float32)
