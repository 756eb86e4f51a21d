"""STAN: neighbours of a session, weighted by the ages of shared items, of sessions, and by distances inside them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least
from omniretail.models.session_neighbours import Matches, Sessions, in_time_order, matches, postings
from omniretail.views.histories import Histories
from omniretail.views.train import Train

_DAY = 24 * 3600


@dataclass(eq=False)
class STAN:
    """Sequence and time aware neighbourhood (Garg et al., SIGIR 2019), with two factors of V-STAN.

    The similarity of this session s to a training session n is the sum over shared items of ``exp(-age / item_decay)``,
    divided by ``sqrt(|s| |n|)``, times ``exp(-t / recency_days)``, where n ended t before the newest training session.
    An item of one of the ``k`` nearest scores that similarity times ``exp(-d / neighbour_decay)``, d events from the
    newest item that n shares with s. Ludewig et al. (UMUAI 2021) add that item's ``exp(-age / match_decay)`` and
    ``1 + idf x log(S / sessions with the item)``.

    A session is a user's history; with ``split=session``, what it says.

    Args:
        k: neighbours.
        sample: newest sessions that are considered; of each item too.
        item_decay: the paper's lambda 1, in events.
        recency_days: its lambda 2, in days, of 86,400 events where the data has an order but no times; None: all
            sessions count alike.
        neighbour_decay: its lambda 3, in events; None: all items of a neighbour count alike.
        match_decay: in events; None: all count alike, as in the paper.
        idf: weight of rarity; 0 in the paper.
        max_len: events of a session that count, the newest.
    """

    k: int = 500
    sample: int = 5000
    item_decay: float = 2.0
    recency_days: float | None = None
    neighbour_decay: float | None = 2.0
    match_decay: float | None = None
    idf: float = 0.0
    max_len: int = 50

    def __post_init__(self) -> None:
        at_least(self, "k", "sample", "max_len", low=1)
        above(self, "item_decay", "recency_days", "neighbour_decay", "match_decay")
        at_least(self, "idf")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        ordered = in_time_order(train.histories)
        sessions = Sessions.of(ordered, self.max_len)
        self.postings_ = postings(sessions, train.histories.n_items)  # (I, S)
        self.training_users_ = ordered.user_idx  # (S,)
        self.roots_ = np.sqrt(sessions.lengths)  # (S,)
        last = ordered.timestamp[ordered.offsets[1:] - 1]
        self.recency_ = _decay((last[-1:] - last) / _DAY, self.recency_days)  # (S,)
        self.near_event_ = _near_events(sessions, train.histories.n_items, self.neighbour_decay)  # (E, I)
        n_sessions = np.diff(self.postings_.indptr)
        rare = np.log(len(sessions.lengths) / np.maximum(n_sessions, 1))
        self.item_weights_ = (1 + self.idf * rare).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        near = self._neighbours(users)
        pairs = ((near.similarity * _decay(near.age, self.match_decay)).astype(np.float32), (near.row, near.event))
        shared = sparse.csr_array(pairs, shape=(len(users), len(self.near_event_.indptr) - 1))  # (B, E)
        scores = sparse.csr_array(shared @ self.near_event_).toarray()
        scores *= self.item_weights_
        return scores

    def _neighbours(self, users: Histories) -> Matches:
        own = Sessions.of(users, self.max_len)
        candidates = matches(own, _decay(own.age, self.item_decay), self.postings_, self.sample)
        others = candidates.take(users.user_idx[candidates.row] != self.training_users_[candidates.user]).newest(
            self.sample
        )
        factor = self.recency_[others.user] / (self.roots_[others.user] * np.sqrt(own.lengths[others.row]))
        weighted = Matches(others.row, others.user, others.similarity * factor, others.event, others.age)
        return weighted.nearest(self.k)


def _decay(distance: np.ndarray, scale: float | None) -> np.ndarray:
    return np.ones(len(distance)) if scale is None else np.exp(-distance / scale)


def _near_events(sessions: Sessions, n_items: int, scale: float | None) -> sparse.csr_array:
    """Weights of a session's items by their distance from each of its events; where an item repeats, of the nearest.

    Returns:
        float32; shape (E, I).
    """
    lengths = sessions.lengths[sessions.rows]
    event = np.repeat(np.arange(len(lengths)), lengths)
    first = np.repeat(sessions.offsets[:-1][sessions.rows], lengths)
    other = np.arange(len(event)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + first
    distance, item = np.abs(other - event), sessions.item_idx[other]
    order = np.lexsort((distance, item, event))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (event[order][1:] == event[order][:-1]) & (item[order][1:] == item[order][:-1])
    nearest = order[~same]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(event[nearest], minlength=len(lengths)))])
    weights = _decay(distance[nearest], scale).astype(np.float32)
    return sparse.csr_array((weights, item[nearest], offsets), shape=(len(lengths), n_items))
