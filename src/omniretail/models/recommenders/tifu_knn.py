"""TIFU-KNN: how often and how recently the customer, and similar ones, bought an item."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least, between
from omniretail.models.neighbours import nearest_users
from omniretail.models.top_k import batches
from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items
from omniretail.views.train import Train

_MEMORY_MB = 64


@dataclass(eq=False)
class TIFUKNN:
    """Temporal item frequencies, mixed with those of the nearest users (Hu et al., SIGIR 2020).

    A user's baskets, oldest first, are cut into ``m`` groups. An item's value is the mean over a group's baskets of
    ``r_b ** (baskets after it in the group)`` where the basket holds it, and then the mean over groups of that value
    times ``r_g ** (groups after it)``. Scores are ``alpha`` times the user's own vector plus ``1 - alpha`` times the
    mean vector of the ``k`` training users at the smallest Euclidean distance.

    Conventions: where the baskets do not divide evenly, the latest groups hold one more; a user with fewer than ``m``
    baskets has a group for each. A training user is not their own neighbour (the authors separate training users from
    test users, which has the same effect); a new user is compared with every training user.

    Args:
        k: neighbours per user.
        m: groups per user.
        r_b: decay from basket to basket within a group.
        r_g: decay from group to group.
        alpha: weight of the user's own vector.
    """

    label = "TIFU-KNN"

    k: int = 300
    m: int = 7
    r_b: float = 0.9
    r_g: float = 0.7
    alpha: float = 0.7

    def __post_init__(self) -> None:
        at_least(self, "k", "m", low=1)
        between(self, "r_b", "r_g", "alpha")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.frequencies_ = self._frequencies(train.histories)  # (U, I)
        self.lengths_ = self.frequencies_.power(2).sum(axis=1)  # squared: (U,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.empty((len(users), users.n_items), dtype=np.float32)
        for rows in batches(len(users), len(self.lengths_), _MEMORY_MB):
            batch = users.take(rows)
            own = self._frequencies(batch)
            neighbours = sparse.csr_array(self._neighbours(own, batch.user_idx) @ self.frequencies_)  # (B, I)
            scores[rows] = (1 - self.alpha) * neighbours.toarray() + self.alpha * own
        return scores

    def _frequencies(self, histories: Histories) -> sparse.csr_array:
        """Temporal item frequency vectors; shape (U, I)."""
        baskets = once_per_basket(histories)
        total = np.repeat(baskets.n_baskets, baskets.lengths)  # (E,), like all that follows
        groups = np.minimum(total, self.m)
        size, larger = np.divmod(total, groups)  # the last `larger` groups hold one basket more than `size`
        split = (groups - larger) * size
        late = baskets.basket >= split
        size, first = size + late, np.where(late, split, 0)
        group, place = np.divmod(baskets.basket - first, size)
        group += np.where(late, groups - larger, 0)
        decay = self.r_b ** (size - 1 - place) * self.r_g ** (groups - 1 - group)
        return user_items(baskets, decay / size / groups)

    def _neighbours(self, own: sparse.csr_array, user_idx: np.ndarray) -> sparse.csr_array:
        """Equal weights, summing to one, on the nearest training users; shape (B, U)."""
        # |a - b|^2 = |a|^2 - (2ab - |b|^2), and |a| is the same for all candidates
        closeness = (2 * own @ self.frequencies_.T).toarray()
        closeness -= self.lengths_
        nearest = nearest_users(closeness, user_idx, self.k)
        n_nearest = np.diff(nearest.indptr)
        nearest.data = np.repeat(1 / np.maximum(n_nearest, 1), n_nearest).astype(np.float32)
        return nearest
