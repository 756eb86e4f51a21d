"""UP-CF: how often similar customers, and the customer, bought an item recently."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least, between
from omniretail.models.sparse_ops import dense_times_sparse
from omniretail.models.top_k import batches
from omniretail.views.baskets import baskets_ago, once_per_basket
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items, user_items
from omniretail.views.train import Train

_MEMORY_MB = 64


@dataclass(eq=False)
class UPCF:
    """User-popularity collaborative filtering with a recency window (Faggioli, Polato and Aiolli, UMAP 2020).

    The popularity of an item for a user is the share of their last ``r`` baskets that hold it. Scores sum it over all
    users v, weighted by ``sim(u, v) ** q`` with the asymmetric cosine
    ``sim(u, v) = |u and v| / (|u| ** alpha |v| ** (1 - alpha))`` of the sets of items ever bought.

    The user takes part with similarity 1 and the history that is scored. Their own row of the training matrix is left
    out, so that they count once; a new user with the history of a training user counts both.

    Args:
        r: recency window, in baskets.
        q: locality: the higher, the less distant users count.
        alpha: asymmetry: 0.5 is the cosine, 1 the share of the user's items that the other has too.
    """

    label = "UP-CF"

    r: int = 25
    q: float = 5.0
    alpha: float = 0.75

    def __post_init__(self) -> None:
        at_least(self, "r", low=1)
        at_least(self, "q")
        between(self, "alpha")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.user_items_ = binary_user_items(train.histories)  # (U, I)
        self.sizes_ = np.diff(self.user_items_.indptr)  # (U,)
        self.popularity_ = self._popularity(train.histories)  # (U, I)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.empty((len(users), users.n_items), dtype=np.float32)
        for rows in batches(len(users), len(self.sizes_), _MEMORY_MB):
            batch = users.take(rows)
            scores[rows] = dense_times_sparse(self._similarity(batch) ** self.q, self.popularity_)
            scores[rows] += self._popularity(batch)
        return scores

    def _popularity(self, histories: Histories) -> sparse.csr_array:
        """Share of each user's last ``r`` baskets that hold an item; shape (U, I)."""
        baskets = once_per_basket(histories)
        window = np.repeat(np.minimum(baskets.n_baskets, self.r), baskets.lengths)  # (E,)
        recent = user_items(baskets, (baskets_ago(baskets) < self.r) / window)
        recent.eliminate_zeros()
        return recent

    def _similarity(self, users: Histories) -> np.ndarray:
        """Asymmetric cosine of B users to every training user but themselves; shape (B, U)."""
        own = binary_user_items(users)
        shared = (own @ self.user_items_.T).toarray()  # (B, U)
        sizes = np.maximum(np.diff(own.indptr), 1)  # (B,)
        shared /= (sizes**self.alpha).astype(np.float32)[:, None]
        shared /= (self.sizes_ ** (1 - self.alpha)).astype(np.float32)
        in_training = np.flatnonzero(users.user_idx >= 0)
        shared[in_training, users.user_idx[in_training]] = 0
        return shared
