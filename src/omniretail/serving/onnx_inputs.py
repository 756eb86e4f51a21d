"""Histories as the plain arrays that a network in an ONNX file reads. NumPy alone, no torch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from omniretail.views.baskets import baskets_ago
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.sequences import Windows, circumstances, latest_windows

if TYPE_CHECKING:
    from omniretail.views.profile.basket_events import EventCoding  # brings pandas and more along

Kind = Literal["sequences", "items", "baskets"]

INPUTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "item": (("users", "events"), "int64: the items, oldest first, left-aligned; 0 behind a history's end"),
    "length": (("users",), "int64: how many of a user's events, items or baskets are in the other inputs; 0: none"),
    "circumstance": (("users", "events", "C"), "int64: codes of each event's context; 0 behind the end"),
    "baskets_ago": (("users", "events"), "int64: how many of the user's baskets came later; -1 behind the end"),
    "user": (("users",), "int64: the user's index in training, -1 for a user who was not in it"),
    "taken": (("pairs",), "int64: the distinct items of every user, one user after another"),
    "row": (("pairs",), "int64: the user of each, counted from 0"),
    "weight": (("pairs",), "float32: the weight of each"),
    "place": (("users", "visits"), "int64: which basket, oldest first, left-aligned; 0 behind a history's end"),
    "line_code": (("lines", "K"), "int64: codes of the item of each line and of its attributes; 0: none"),
    "line_basket": (("lines",), "int64: the basket of each line"),
    "number": (("baskets", "F"), "float32: each basket's numbers; basket 0 is empty and belongs to no user"),
    "basket_circumstance": (("baskets", "3"), "int64: codes of each basket's store, hour and weekday; 0: not known"),
}
"""Axes and meaning of every input; an axis in lower case may have any length."""

_EVENTS_AT_ONCE = 1 << 13


@dataclass(frozen=True)
class Layout:
    """How histories become inputs.

    Attributes:
        kind: the latest events in their order, the distinct items in no order, or the latest baskets.
        max_len: events or baskets that are read, the latest; 0: all.
        context: of each event, see ``views.sequences``.
        weighting: of items, see ``views.matrix``.
    """

    kind: Kind
    max_len: int = 0
    context: Sequence[str] = ()
    weighting: Weighting = "binary"


def laid_out(users: Histories, layout: Layout, coding: "EventCoding | None" = None) -> dict[str, np.ndarray]:
    """All inputs that a layout has, by name; ``INPUTS`` says what they are.

    Args:
        users: B users, some perhaps without a history.
        layout: of the network.
        coding: of baskets; needed for baskets alone.

    >>> arrays = laid_out(Histories.of([[[3], [1, 2]], []], n_items=5), Layout("sequences", max_len=2))
    >>> arrays["item"].tolist(), arrays["length"].tolist(), arrays["baskets_ago"].tolist()
    ([[1, 2], [0, 0]], [2, 0], [[0, 0], [-1, -1]])
    """
    if layout.kind == "sequences":
        return _sequences(users, layout)
    if layout.kind == "items":
        return _items(users, layout)
    assert coding is not None
    return _baskets(users, layout, coding)


def groups(users: Histories) -> Iterator[np.ndarray]:
    """Rows of users in groups of similar history length, small enough to bound the memory of a network."""
    order = np.argsort(users.lengths, kind="stable")
    number = np.cumsum(np.maximum(users.lengths[order], 1)) // _EVENTS_AT_ONCE
    return iter(np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else [])


def _sequences(users: Histories, layout: Layout) -> dict[str, np.ndarray]:
    windows = latest_windows(users, layout.max_len)
    return {
        "item": _padded(users.item_idx.astype(np.int64), windows, 0),
        "length": windows.length.astype(np.int64),
        "circumstance": _padded(circumstances(users, layout.context), windows, 0),
        "baskets_ago": _padded(baskets_ago(users).astype(np.int64), windows, -1),
        "user": users.user_idx.astype(np.int64),
    }


def _items(users: Histories, layout: Layout) -> dict[str, np.ndarray]:
    matrix = weighted_user_items(users, layout.weighting)
    length = np.diff(matrix.indptr).astype(np.int64)
    return {
        "taken": matrix.indices.astype(np.int64),
        "row": np.repeat(np.arange(len(users)), length),
        "weight": matrix.data,
        "length": length,
        "user": users.user_idx.astype(np.int64),
    }


def _baskets(users: Histories, layout: Layout, coding: "EventCoding") -> dict[str, np.ndarray]:
    events = coding.baskets(users)
    n_baskets = np.diff(events.offsets)
    length = np.minimum(n_baskets, layout.max_len or n_baskets.max(initial=0))
    ends = np.repeat(events.offsets[1:], n_baskets)
    latest = np.arange(len(ends)) >= ends - np.repeat(length, n_baskets)  # (N,), the latest of each user
    number = np.where(latest, np.cumsum(latest), 0)  # 1 the first; 0 stands for no basket
    basket = np.repeat(number, np.diff(events.line_offsets))
    return {
        "place": _padded(np.arange(1, latest.sum() + 1), Windows(np.cumsum(length) - length, length), 0),
        "length": length.astype(np.int64),
        "line_code": events.line_codes[basket > 0],
        "line_basket": basket[basket > 0],
        "number": _after_none(events.numbers[latest]),
        "basket_circumstance": _after_none(events.circumstances[latest]),
    }


def _padded(values: np.ndarray, windows: Windows, filler: int) -> np.ndarray:
    """Windows side by side, left-aligned, at least one column wide; (E, ...) to (W, L, ...)."""
    column = np.arange(max(1, int(windows.length.max(initial=0))))
    real = column < windows.length[:, None]
    laid = np.full((*real.shape, *values.shape[1:]), filler, dtype=values.dtype)
    laid[real] = values[(windows.start[:, None] + column)[real]]
    return laid


def _after_none(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values, shape=(1, *values.shape[1:])), values])
