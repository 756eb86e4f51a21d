"""Histories of users as flat arrays with offsets: no padding, no Python object per user."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

AMOUNTS = ("quantity", "value", "discount", "coupon")
"""Numbers that each event may have."""
PER_EVENT = ("item_idx", "timestamp", "basket", "event_type", "channel", "store", *AMOUNTS, "weight", "purchase")
"""The arrays that hold one value per event."""
CATEGORY = np.int16
"""Type of the codes of event types and channels."""
MAX_CATEGORIES = int(np.iinfo(CATEGORY).max)
NO_TIME = np.iinfo(np.int64).min
"""Of a user for whom no time is set, see ``Histories.served_at``."""
_ABSENT = np.zeros(0)
_DEFAULTS = {
    "event_type": CATEGORY(0),
    "channel": CATEGORY(0),
    "store": np.int32(-1),
    **dict.fromkeys(AMOUNTS, np.float32(np.nan)),
    "weight": np.float32(1),
    "purchase": np.bool_(True),
}


@dataclass(frozen=True)
class Histories:
    """The histories of U users, E events in all, each user's oldest first.

    Attributes:
        user_idx: the training user behind each row, -1 for a user who was not in training; shape (U,).
        offsets: row u owns the events ``offsets[u]:offsets[u + 1]``; shape (U + 1,).
        item_idx: index of the item; shape (E,).
        timestamp: seconds since 1970, UTC; shape (E,).
        basket: number of the basket within the user's history, 0 the oldest; shape (E,).
        n_items: size of the catalogue.
        event_type: index into the training set's event types, -1 for one that it lacks; int16, default 0; shape (E,).
        channel: index into the training set's channels, -1 for one that it lacks; int16, default 0; shape (E,).
        store: index into the training set's stores, -1 where unknown; int32; shape (E,).
        quantity: pieces; float32, NaN where unknown; shape (E,).
        value: amount paid, in the source's currency; float32, NaN where unknown; shape (E,).
        discount: amount taken off; float32, NaN where unknown; shape (E,).
        coupon: the part of the discount that is due to coupons; float32, NaN where unknown; shape (E,).
        weight: of the event as feedback, see ``Signals``; float32, default 1; shape (E,).
        purchase: whether the event is one; in a log without purchases, all are; default True; shape (E,).
        at_store: index of the store in which the user is served now; int32, -1 where unknown; shape (U,).
        served_at: the time at which the user is served, seconds since 1970; int64, default ``NO_TIME``; shape (U,).
    """

    user_idx: np.ndarray
    offsets: np.ndarray
    item_idx: np.ndarray
    timestamp: np.ndarray
    basket: np.ndarray
    n_items: int
    event_type: np.ndarray = field(default_factory=lambda: _ABSENT)
    channel: np.ndarray = field(default_factory=lambda: _ABSENT)
    store: np.ndarray = field(default_factory=lambda: _ABSENT)
    quantity: np.ndarray = field(default_factory=lambda: _ABSENT)
    value: np.ndarray = field(default_factory=lambda: _ABSENT)
    discount: np.ndarray = field(default_factory=lambda: _ABSENT)
    coupon: np.ndarray = field(default_factory=lambda: _ABSENT)
    weight: np.ndarray = field(default_factory=lambda: _ABSENT)
    purchase: np.ndarray = field(default_factory=lambda: _ABSENT)
    at_store: np.ndarray = field(default_factory=lambda: _ABSENT)
    served_at: np.ndarray = field(default_factory=lambda: _ABSENT)

    def __post_init__(self) -> None:
        if self.at_store is _ABSENT:
            object.__setattr__(self, "at_store", np.full(len(self.user_idx), -1, dtype=np.int32))
        if self.served_at is _ABSENT:
            object.__setattr__(self, "served_at", np.full(len(self.user_idx), NO_TIME))
        for name in ("user_idx", "offsets", "at_store", "served_at", *PER_EVENT):
            values = getattr(self, name)
            frozen = (np.full(len(self.item_idx), _DEFAULTS[name]) if values is _ABSENT else values).view()
            frozen.flags.writeable = False  # every model reads the same arrays
            object.__setattr__(self, name, frozen)

    @classmethod
    def of(cls, baskets: Sequence[Sequence[Sequence[int]]], n_items: int) -> "Histories":
        """Histories of users who are not in training: per user a list of baskets, oldest first, of item indices.

        Times are the numbers of the baskets, in seconds.

        Raises:
            IndexError: where an item index lies outside the catalogue.

        >>> Histories.of([[[3], [1, 2]], []], n_items=5).lengths
        array([3, 0])
        """
        lengths = [sum(map(len, user)) for user in baskets]
        item_idx = np.array([item for user in baskets for basket in user for item in basket], dtype=np.int32)
        number = [n for user in baskets for n, basket in enumerate(user) for _ in basket]
        if item_idx.size and not (item_idx.min() >= 0 and item_idx.max() < n_items):
            raise IndexError(f"item indices must lie in 0..{n_items - 1}; leave other items out")
        return cls(
            user_idx=np.full(len(baskets), -1, dtype=np.int32),
            offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            item_idx=item_idx,
            timestamp=np.array(number, dtype=np.int64),
            basket=np.array(number, dtype=np.int32),
            n_items=n_items,
        )

    def __len__(self) -> int:
        return len(self.user_idx)

    @property
    def lengths(self) -> np.ndarray:
        """Events per user; shape (U,)."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> np.ndarray:
        """The row (user position) of each event; shape (E,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def as_of(self, cutoff: int) -> np.ndarray:
        """The time as of which each user is profiled.

        It is that at which they are served where it is set, else the cutoff, or a second after a history that goes on
        beyond it.

        Args:
            cutoff: seconds since 1970.

        Returns:
            int64; shape (U,).
        """
        times = np.full(len(self), cutoff, dtype=np.int64)
        some = self.lengths > 0
        times[some] = np.maximum(times[some], self.timestamp[self.offsets[1:][some] - 1] + 1)
        return np.where(self.served_at == NO_TIME, times, self.served_at)

    @property
    def n_baskets(self) -> np.ndarray:
        """Baskets per user; shape (U,)."""
        last = np.maximum(self.offsets[1:] - 1, 0)
        return np.where(self.lengths > 0, self.basket[last] + 1 if self.basket.size else 0, 0)

    def take(self, rows: Sequence[int] | np.ndarray | slice) -> "Histories":
        """The histories of some users, in the order of ``rows``; -1 gives an empty history of an unknown user."""
        rows = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows, dtype=np.int64)
        present = rows >= 0
        lengths = np.where(present, self.lengths[rows] if len(self) else 0, 0)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        events = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return replace(
            self,
            user_idx=np.where(present, self.user_idx[rows] if len(self) else -1, -1).astype(np.int32),
            at_store=np.where(present, self.at_store[rows] if len(self) else -1, -1).astype(np.int32),
            served_at=np.where(present, self.served_at[rows] if len(self) else NO_TIME, NO_TIME),
            offsets=offsets,
            **{name: getattr(self, name)[events] for name in PER_EVENT},
        )

    def then(self, others: "Histories") -> "Histories":
        """These users followed by others of the same catalogue."""
        return replace(
            self,
            user_idx=np.concatenate([self.user_idx, others.user_idx]),
            at_store=np.concatenate([self.at_store, others.at_store]),
            served_at=np.concatenate([self.served_at, others.served_at]),
            offsets=np.concatenate([self.offsets, self.offsets[-1] + others.offsets[1:]]),
            **{name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in PER_EVENT},
        )

    def purchases(self) -> "Histories":
        """The same users with their purchases only, baskets numbered anew."""
        if self.purchase.all():
            return self
        bought = self.keep(self.purchase)
        return replace(bought, basket=consecutive_baskets(bought))

    def keep(self, mask: np.ndarray) -> "Histories":
        """The same users with the events where ``mask`` is True only; shape of the mask (E,)."""
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(mask)])[self.offsets],
            **{name: getattr(self, name)[mask] for name in PER_EVENT},
        )


def has_repeats(histories: Histories) -> bool:
    """Whether some user has an item twice."""
    pairs = histories.rows * np.int64(histories.n_items) + histories.item_idx
    return len(np.unique(pairs)) < len(pairs)


def consecutive_baskets(histories: Histories) -> np.ndarray:
    """Each event's basket among those of its user that have events; shape (E,)."""
    rows, basket = histories.rows, histories.basket
    new = np.ones(len(rows), dtype=np.int64)
    new[1:] = (rows[1:] != rows[:-1]) | (basket[1:] != basket[:-1])
    number = np.cumsum(new) - 1
    first = np.zeros(len(histories), dtype=np.int64)
    full = histories.lengths > 0
    first[full] = number[histories.offsets[:-1][full]]
    return (number - first[rows]).astype(np.int32)
