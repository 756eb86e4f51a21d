"""VS-kNN: what sessions hold that share the newest items of this one."""

from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least, one_of
from omniretail.models.session_neighbours import Decay, Sessions, decayed, in_time_order, matches, postings
from omniretail.views.histories import Histories
from omniretail.views.train import Train


@dataclass(eq=False)
class VSKNN:
    """Vector multiplication session-based kNN (Ludewig and Jannach, UMUAI 2018).

    Of the ``sample`` newest training sessions that share an item with this one, the ``k`` most similar are its
    neighbours. The similarity is the sum of the weights of the shared items, which fall with their age in this session
    (``decay``). An item scores the sum over the neighbours that hold it of their similarity times the weight of the
    newest item that they share with this session (``match_decay``), times
    ``1 + idf x log(S / sessions with the item)``.

    A session is a user's history; with ``split=session``, what it says.

    Args:
        k: neighbours.
        sample: newest sessions that are considered; of each item too.
        decay: by age, 0 for the newest event: ``linear`` 1 - age / 10, ``div`` the place in the session from its
            beginning, as a share, ``quadratic`` its square, ``log`` 1 / log10(age + 1.7), ``same`` 1.
        match_decay: likewise.
        idf: weight of rarity.
        max_len: events of a session that count, the newest.
    """

    label = "VS-kNN"

    k: int = 100
    sample: int = 1000
    decay: Decay = "div"
    match_decay: Decay = "linear"
    idf: float = 0.0
    max_len: int = 50

    def __post_init__(self) -> None:
        at_least(self, "k", "sample", "max_len", low=1)
        at_least(self, "idf")
        one_of(self, "decay", get_args(Decay))
        one_of(self, "match_decay", get_args(Decay))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        ordered = in_time_order(train.histories)
        sessions = Sessions.of(ordered, self.max_len)
        self.postings_ = postings(sessions, train.histories.n_items)  # (I, S)
        self.training_users_ = ordered.user_idx  # (S,)
        ones = np.ones(len(sessions.item_idx), dtype=np.float32)
        shape = (len(sessions.lengths), train.histories.n_items)
        self.session_items_ = sparse.csr_array((ones, sessions.item_idx.copy(), sessions.offsets), shape=shape)
        self.session_items_.sum_duplicates()
        self.session_items_.data[:] = 1
        n_sessions = np.bincount(self.session_items_.indices, minlength=train.histories.n_items)
        self.item_weights_ = (1 + self.idf * np.log(shape[0] / np.maximum(n_sessions, 1))).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = Sessions.of(users, self.max_len)
        weights = decayed(own.age, own.lengths[own.rows], self.decay)
        candidates = matches(own, weights, self.postings_, self.sample)
        others = candidates.take(users.user_idx[candidates.row] != self.training_users_[candidates.user])
        near = others.newest(self.sample).nearest(self.k)
        shared = decayed(near.age, own.lengths[near.row], self.match_decay)
        pairs = ((near.similarity * shared).astype(np.float32), (near.row, near.user))
        neighbours = sparse.csr_array(pairs, shape=(len(users), len(self.training_users_)))  # (B, S)
        scores = sparse.csr_array(neighbours @ self.session_items_).toarray()
        scores *= self.item_weights_
        return scores
