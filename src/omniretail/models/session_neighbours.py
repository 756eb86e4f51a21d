"""Neighbours of a session among training sessions, by the items they share; in batches, no loop over users."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from omniretail.views.histories import Histories
from omniretail.views.sequences import latest_windows

Decay = Literal["linear", "quadratic", "log", "div", "same"]


@dataclass(frozen=True)
class Sessions:
    """The newest events of S sessions, E in all, each session's oldest first.

    Attributes:
        item_idx: shape (E,).
        offsets: session s owns the events ``offsets[s]:offsets[s + 1]``; shape (S + 1,).
    """

    item_idx: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, histories: Histories, max_len: int) -> "Sessions":
        """The last ``max_len`` events of each user."""
        windows = latest_windows(histories, max_len)
        offsets = np.concatenate([[0], np.cumsum(windows.length)])
        events = np.arange(offsets[-1]) + np.repeat(windows.start - offsets[:-1], windows.length)
        return cls(histories.item_idx[events], offsets)

    @property
    def lengths(self) -> np.ndarray:
        """Events per session; shape (S,)."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> np.ndarray:
        """The session of each event; shape (E,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def age(self) -> np.ndarray:
        """How many events of the session are newer than each; shape (E,)."""
        return self.offsets[1:][self.rows] - 1 - np.arange(len(self.item_idx))

    def newest_of_each_item(self) -> np.ndarray:
        """The event with the last occurrence of each item in each session, newest first in a session; shape (N,)."""
        order = np.lexsort((self.age, self.item_idx, self.rows))
        row, item = self.rows[order], self.item_idx[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (row[1:] != row[:-1]) | (item[1:] != item[:-1])
        events = order[first]
        return events[np.lexsort((self.age[events], self.rows[events]))]


@dataclass(frozen=True)
class Matches:
    """Pairs of a session and a training session that share items, ordered by session, then as training users are.

    Attributes:
        row: of the session; shape (P,).
        user: the training session; shape (P,).
        similarity: sum of the weights of the shared items; shape (P,).
        event: of the training session, with the newest item that the two share; shape (P,).
        age: of that item in the session; shape (P,).
    """

    row: np.ndarray
    user: np.ndarray
    similarity: np.ndarray
    event: np.ndarray
    age: np.ndarray

    def take(self, chosen: np.ndarray) -> "Matches":
        """Some of the pairs, by place or by mask."""
        return Matches(*(each[chosen] for each in (self.row, self.user, self.similarity, self.event, self.age)))

    def nearest(self, k: int) -> "Matches":
        """The ``k`` most similar training sessions of each session; ties: the newest."""
        order = np.lexsort((-self.user, -self.similarity, self.row))
        row = self.row[order]
        return self.take(order[np.arange(len(row)) - np.searchsorted(row, row) < k])

    def newest(self, n: int) -> "Matches":
        """The ``n`` training sessions of each session that are last in order."""
        return self.take(np.searchsorted(self.row, self.row, side="right") - np.arange(len(self.row)) <= n)


def in_time_order(histories: Histories) -> Histories:
    """The users with any event, by the time of their last one; ties in their own order."""
    some = np.flatnonzero(histories.lengths > 0)
    return histories.take(some[np.argsort(histories.timestamp[histories.offsets[1:][some] - 1], kind="stable")])


def postings(sessions: Sessions, n_items: int) -> sparse.csr_array:
    """Per item, the training sessions that hold it, newest first; shape (I, S).

    Returns:
        ``indices``: the sessions; ``data``: the event with the item's last occurrence there, int32.
    """
    events = sessions.newest_of_each_item()
    row, item = sessions.rows[events], sessions.item_idx[events]
    order = np.lexsort((-row, item))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(item, minlength=n_items))])
    index = sparse.csr_array(
        (events[order].astype(np.int32), row[order].astype(np.int32), offsets.astype(np.int32)),
        shape=(n_items, len(sessions.lengths)),
    )
    index.has_sorted_indices = False
    return index


def matches(sessions: Sessions, weights: np.ndarray, index: sparse.csr_array, per_item: int) -> Matches:
    """Training sessions that share an item with each session.

    Args:
        sessions: B of them, E events.
        weights: of each event in the similarity; shape (E,).
        index: see ``postings``.
        per_item: training sessions considered per item, the newest.
    """
    own = sessions.newest_of_each_item()
    row, item, age = (each[own] for each in (sessions.rows, sessions.item_idx, sessions.age))
    starts = index.indptr[item]
    lengths = np.minimum(index.indptr[item + 1] - starts, per_item)
    of = np.repeat(np.arange(len(own)), lengths)
    place = np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + starts[of]
    user = index.indices[place]
    key = row[of].astype(np.int64) << 32 | user
    order = np.argsort(key, kind="stable")  # newest items stay first
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    head = order[first]
    similarity = np.add.reduceat(weights[own][of[order]], first) if len(first) else np.zeros(0)
    return Matches(row[of[head]], user[head], similarity, index.data[place[head]], age[of[head]])


def decayed(age: np.ndarray, length: np.ndarray, decay: Decay) -> np.ndarray:
    """Weight of an event by its age, of a session of that length; as in the authors' code.

    >>> decayed(np.array([0, 1, 4, 12]), np.array([5, 5, 5, 20]), "linear")
    array([1. , 0.9, 0.6, 0. ])
    """
    place = (length - age) / length  # 1 for the newest
    match decay:
        case "linear":
            return np.maximum(1 - 0.1 * age, 0)
        case "quadratic":
            return place**2
        case "log":
            return 1 / np.log10(age + 1.7)
        case "div":
            return place
        case "same":
            return np.ones(len(age))
