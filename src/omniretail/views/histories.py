"""What each user did before the cutoff, as flat arrays with offsets: no padding, no Python object per user."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

AMOUNTS = ("quantity", "value", "discount", "coupon")
"""Numbers that a log may have for each event."""
PER_EVENT = ("item_idx", "timestamp", "basket", "event_type", "channel", "store", *AMOUNTS)
"""The arrays that hold one value per event."""
_NOT_GIVEN = np.zeros(0)
_DEFAULTS = {"event_type": np.int8(0), "channel": np.int8(0), "store": np.int32(-1)} | dict.fromkeys(
    AMOUNTS, np.float32(np.nan)
)


@dataclass(frozen=True)
class Histories:
    """The histories of U users, E events in all, each user's oldest first.

    Attributes:
        user_idx: the training user behind each row, -1 for a user who was not in training; shape (U,).
        offsets: row u owns the events ``offsets[u]:offsets[u + 1]``; shape (U + 1,).
        item_idx: what was touched; shape (E,).
        timestamp: when, in seconds since 1970 UTC; shape (E,).
        basket: number of the basket within the user's history, 0 the oldest; shape (E,).
        n_items: size of the catalogue.
        event_type: its number among the training set's event types; int8, 0 where not given; shape (E,).
        channel: its number among the training set's channels; int8, 0 where not given; shape (E,).
        store: its number among the training set's stores; int32, -1 where not known; shape (E,).
        quantity: pieces; float32, NaN where not known; shape (E,).
        value: what was paid, in the source's currency; float32, NaN where not known; shape (E,).
        discount: what was taken off; float32, NaN where not known; shape (E,).
        coupon: the part of it that coupons took off; float32, NaN where not known; shape (E,).
        at_store: the number of the store that the customer is served in now; int32, -1 where nobody said; shape (U,).
    """

    user_idx: np.ndarray
    offsets: np.ndarray
    item_idx: np.ndarray
    timestamp: np.ndarray
    basket: np.ndarray
    n_items: int
    event_type: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    channel: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    store: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    quantity: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    value: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    discount: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    coupon: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    at_store: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)

    def __post_init__(self) -> None:
        if self.at_store is _NOT_GIVEN:
            object.__setattr__(self, "at_store", np.full(len(self.user_idx), -1, dtype=np.int32))
        for name in ("user_idx", "offsets", "at_store", *PER_EVENT):
            given = getattr(self, name)
            frozen = (np.full(len(self.item_idx), _DEFAULTS[name]) if given is _NOT_GIVEN else given).view()
            frozen.flags.writeable = False  # every model reads the same arrays
            object.__setattr__(self, name, frozen)

    @classmethod
    def of(cls, baskets: Sequence[Sequence[Sequence[int]]], n_items: int) -> "Histories":
        """Fresh histories of users unknown to training: per user a list of baskets, oldest first, of item indices.

        Event times are unknown; each basket counts as one second.

        Raises:
            IndexError: where an item index lies outside the catalogue.

        >>> Histories.of([[[3], [1, 2]], []], n_items=5).lengths
        array([3, 0])
        """
        lengths = [sum(map(len, user)) for user in baskets]
        item_idx = np.array([item for user in baskets for basket in user for item in basket], dtype=np.int32)
        number = [n for user in baskets for n, basket in enumerate(user) for _ in basket]
        if item_idx.size and not (item_idx.min() >= 0 and item_idx.max() < n_items):
            raise IndexError(f"item indices must lie in 0..{n_items - 1}; leave unknown items out")
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

    @property
    def n_baskets(self) -> np.ndarray:
        """Baskets per user; shape (U,)."""
        last = np.maximum(self.offsets[1:] - 1, 0)
        return np.where(self.lengths > 0, self.basket[last] + 1 if self.basket.size else 0, 0)

    def take(self, rows: Sequence[int] | np.ndarray | slice) -> "Histories":
        """The histories of some users, in the order asked for; -1 gives an empty history of an unknown user."""
        rows = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows, dtype=np.int64)
        known = rows >= 0
        lengths = np.where(known, self.lengths[rows] if len(self) else 0, 0)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        events = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return replace(
            self,
            user_idx=np.where(known, self.user_idx[rows] if len(self) else -1, -1).astype(np.int32),
            at_store=np.where(known, self.at_store[rows] if len(self) else -1, -1).astype(np.int32),
            offsets=offsets,
            **{name: getattr(self, name)[events] for name in PER_EVENT},
        )

    def then(self, others: "Histories") -> "Histories":
        """These users, and after them others of the same catalogue."""
        return replace(
            self,
            user_idx=np.concatenate([self.user_idx, others.user_idx]),
            at_store=np.concatenate([self.at_store, others.at_store]),
            offsets=np.concatenate([self.offsets, self.offsets[-1] + others.offsets[1:]]),
            **{name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in PER_EVENT},
        )

    def keep(self, kept: np.ndarray) -> "Histories":
        """The same users with some of their events only; ``kept`` is a mask of shape (E,)."""
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(kept)])[self.offsets],
            **{name: getattr(self, name)[kept] for name in PER_EVENT},
        )
