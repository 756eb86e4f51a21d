"""Histories as short sequences: windows, batches of similar length, circumstances of events; no loop over users."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.views.histories import Histories

_HOUR = 3600


@dataclass(frozen=True)
class Windows:
    """Stretches of histories, each up to ``max_len`` events of one user.

    Attributes:
        start: position of the first event among all events; shape (W,).
        length: in events; shape (W,).
    """

    start: np.ndarray
    length: np.ndarray

    def batches(self, batch_events: int, rng: np.random.Generator) -> list["Windows"]:
        """All windows in batches of about ``batch_events`` events and similar lengths, so that little is padded.

        Which windows of one length share a batch, and the order of the batches, are random.
        """
        order = rng.permutation(len(self.start))
        order = order[np.argsort(self.length[order], kind="stable")]
        number = (np.cumsum(self.length[order]) - 1) // batch_events
        parts = np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else []
        return [Windows(self.start[parts[i]], self.length[parts[i]]) for i in rng.permutation(len(parts))]


@dataclass(frozen=True)
class Prefixes(Windows):
    """Windows that each end before the basket of an event to predict.

    Attributes:
        target: position of that event among all events; shape (W,).
    """

    target: np.ndarray

    def batches(self, batch_size: int, rng: np.random.Generator) -> list["Prefixes"]:  # type: ignore[override]
        """All prefixes in random batches of ``batch_size``, within each the shortest first."""
        order = rng.permutation(len(self.start))
        parts = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
        parts = [part[np.argsort(self.length[part], kind="stable")] for part in parts]
        return [Prefixes(self.start[part], self.length[part], self.target[part]) for part in parts]


def training_prefixes(histories: Histories, max_len: int) -> Prefixes:
    """For every event after a user's first basket, the latest ``max_len`` events up to the basket before."""
    previous = last_of_previous_basket(histories)
    target = np.flatnonzero(previous >= 0)
    end = previous[target] + 1
    start = np.maximum(histories.offsets[histories.rows[target]], end - max_len)
    return Prefixes(start, end - start, target)


def training_windows(histories: Histories, max_len: int, rng: np.random.Generator) -> Windows:
    """Every event in one window; where a user has more than ``max_len`` events, the cuts are random."""
    lengths = histories.lengths
    shift = np.where(lengths > max_len, rng.integers(0, max_len, len(lengths)), 0)
    n_windows = -(-(lengths + shift) // max_len)  # rounded up
    number = np.arange(n_windows.sum()) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
    user = np.repeat(np.arange(len(lengths)), n_windows)
    cut = number * max_len - shift[user]
    first, last = np.maximum(cut, 0), np.minimum(cut + max_len, lengths[user])
    return Windows(histories.offsets[user] + first, last - first)


def latest_windows(histories: Histories, max_len: int) -> Windows:
    """The last ``max_len`` events of every user, fewer where there are fewer; W = U."""
    length = np.minimum(histories.lengths, max_len)
    return Windows(histories.offsets[1:] - length, length)


def last_of_previous_basket(histories: Histories) -> np.ndarray:
    """Position of the last event of the basket before each event's, -1 in a user's first basket; shape (E,).

    Items of one basket must not predict each other, so each is predicted from this event. Where every basket holds one
    event, it is the event before.
    """
    position = np.arange(len(histories.item_idx))
    rows = histories.rows
    begins = np.ones(len(position), dtype=bool)
    begins[1:] = (rows[1:] != rows[:-1]) | (histories.basket[1:] != histories.basket[:-1])
    previous = np.maximum.accumulate(np.where(begins, position, 0)) - 1
    return np.where(previous >= histories.offsets[rows], previous, -1)


SECONDS = "seconds"
"""The time of an event as a circumstance: no code, for encoders that read time themselves."""
CIRCUMSTANCES = {"gap": 20, "repeat": 2, "event_type": 33, "channel": 9}
"""Attributes of an event beside its item, and the number of codes of each."""


def circumstances(histories: Histories, names: Sequence[str]) -> np.ndarray:
    """Codes of the circumstances of each event; int64, shape (E, C).

    ``gap``: hours since the user's event before, 0 for none, then on a logarithmic scale; ``repeat``: whether the user
    has an earlier event with the item; ``event_type`` and ``channel``: their indices. Their last code stands for one
    that the training set lacks; indices beyond the number of codes share the last but one.

    Raises:
        SettingsError: where a name is not one of these.
    """
    unknown = [name for name in names if name not in _CODES]
    if unknown:
        raise SettingsError(f"context={unknown[0]!r} is not one of {', '.join(CIRCUMSTANCES)}")
    codes = [_CODES[name](histories) for name in names]
    return np.stack(codes, axis=1).astype(np.int64) if codes else np.zeros((len(histories.item_idx), 0), dtype=np.int64)


def _gap(histories: Histories) -> np.ndarray:
    since = np.diff(histories.timestamp, prepend=histories.timestamp[:1])
    since[histories.offsets[:-1][histories.lengths > 0]] = 0
    codes = np.ceil(np.log2(1 + np.maximum(since, 0) / _HOUR)).astype(np.int64)
    return np.minimum(codes, CIRCUMSTANCES["gap"] - 1)


def _repeat(histories: Histories) -> np.ndarray:
    order = np.lexsort((histories.item_idx, histories.rows))  # stable: events of one user and item stay in time
    row, item = histories.rows[order], histories.item_idx[order]
    again = np.zeros(len(order), dtype=np.int64)
    again[order[1:]] = (row[1:] == row[:-1]) & (item[1:] == item[:-1])
    return again


def _category(values: np.ndarray, name: str) -> np.ndarray:
    """Indices as codes, the last of which stands for unknown ones."""
    unknown = CIRCUMSTANCES[name] - 1
    return np.where(values < 0, unknown, np.minimum(values, unknown - 1))


_CODES = {
    SECONDS: lambda histories: histories.timestamp,
    "gap": _gap,
    "repeat": _repeat,
    "event_type": lambda histories: _category(histories.event_type, "event_type"),
    "channel": lambda histories: _category(histories.channel, "channel"),
}
