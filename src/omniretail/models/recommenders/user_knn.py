"""UserKNN: what similar customers have."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least, one_of
from omniretail.models.neighbours import most_similar, rarity
from omniretail.models.top_k import batches
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

FeatureWeighting = Literal["none", "tf-idf"]
_MEMORY_MB = 64


@dataclass(eq=False)
class UserKNN:
    """Sum over the k most similar training users of their similarity, for each item they have.

    The similarity of users u and v is ``x_u . x_v / (|x_u| |x_v| + shrinkage)``, where the vectors hold their items
    (Herlocker et al., SIGIR 1999; weighted and shrunk as in Dacrema et al., RecSys 2019). A training user is not their
    own neighbour; a new user's history is compared with that of every training user, an equal one included.

    Args:
        k: neighbours per user.
        shrinkage: pulls similarities that few items support towards 0.
        feature_weighting: ``tf-idf`` makes an item count less the more users have it; ``none`` counts all alike.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
    """

    k: int = 100
    shrinkage: float = 10.0
    feature_weighting: FeatureWeighting = "tf-idf"
    weighting: Weighting = "binary"

    def __post_init__(self) -> None:
        at_least(self, "k", low=1)
        at_least(self, "shrinkage")
        one_of(self, "feature_weighting", get_args(FeatureWeighting))
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.user_items_ = weighted_user_items(train.histories, self.weighting)
        self.item_weights_ = np.ones(train.histories.n_items, dtype=np.float32)
        if self.feature_weighting == "tf-idf":
            item_users = np.bincount(self.user_items_.indices, minlength=train.histories.n_items)
            self.item_weights_ = rarity(item_users, len(train.histories))
        self.norms_ = self._norms(self.user_items_)  # (U,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.empty((len(users), users.n_items), dtype=np.float32)
        for rows in batches(len(users), len(self.norms_), _MEMORY_MB):
            batch = users.take(rows)
            neighbours = most_similar(self._similarity(batch), batch.user_idx, self.k)  # (B, U)
            scores[rows] = sparse.csr_array(neighbours @ self.user_items_).toarray()
        return scores

    def _similarity(self, users: Histories) -> sparse.csr_array:
        """Of B users to the training users they share items with; shape (B, U)."""
        own = weighted_user_items(users, self.weighting)
        norms = self._norms(own)
        own.data *= self.item_weights_[own.indices] ** 2
        similarity = sparse.csr_array(own @ self.user_items_.T)
        lengths = np.repeat(norms, np.diff(similarity.indptr)) * self.norms_[similarity.indices]
        similarity.data /= lengths + np.float32(self.shrinkage)
        return similarity

    def _norms(self, user_items: sparse.csr_array) -> np.ndarray:
        return np.sqrt(user_items.power(2) @ self.item_weights_**2)
