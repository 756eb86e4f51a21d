"""UserKNN: what similar customers have."""

from typing import Literal, Self

import numpy as np
from scipy import sparse

from omniretail.models.neighbours import nearest_users, rarity
from omniretail.models.recommend import batches
from omniretail.views.fold import Train
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items

_MEMORY_MB = 256


class UserKNN:
    """Sum over the k most similar training users of their similarity, for each item they have.

    The similarity of users u and v is ``x_u . x_v / (|x_u| |x_v| + shrinkage)``, where the vectors hold their items
    (Herlocker et al., SIGIR 1999; weighted and shrunk as in Dacrema et al., RecSys 2019). A training user is not their
    own neighbour; a history given at call time is compared with every training user, its own twin included.

    Args:
        k: neighbours per user.
        shrinkage: pulls similarities that few items support towards 0.
        feature_weighting: ``tf-idf`` makes an item count less the more users have it; ``none`` counts all alike.
    """

    def __init__(
        self, k: int = 100, shrinkage: float = 10.0, feature_weighting: Literal["none", "tf-idf"] = "tf-idf"
    ) -> None:
        self.k = k
        self.shrinkage = shrinkage
        self.feature_weighting = feature_weighting

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.user_items_ = binary_user_items(train.histories)
        n_users, n_items = self.user_items_.shape
        self.item_weights_ = np.ones(n_items, dtype=np.float32)
        if self.feature_weighting == "tf-idf":
            self.item_weights_ = rarity(self.user_items_.sum(axis=0), n_users)
        self.norms_ = self._norms(self.user_items_)  # (U,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.empty((len(users), users.n_items), dtype=np.float32)
        for rows in batches(len(users), len(self.norms_), _MEMORY_MB):
            batch = users.take(rows)
            neighbours = nearest_users(self._similarity(batch), batch.user_idx, self.k)  # (B, U)
            scores[rows] = (neighbours @ self.user_items_).toarray()
        return scores

    def _similarity(self, users: Histories) -> np.ndarray:
        """Of B users to every training user; shape (B, U)."""
        own = binary_user_items(users)
        shared = (own * self.item_weights_**2 @ self.user_items_.T).toarray()  # (B, U)
        lengths = self._norms(own)[:, None] * self.norms_ + self.shrinkage
        return np.divide(shared, lengths, out=shared, where=lengths > 0)

    def _norms(self, user_items: sparse.csr_array) -> np.ndarray:
        return np.sqrt(user_items @ self.item_weights_**2)
