"""ProfileKNN: what customers with a similar profile buy, and what the customer buys."""

import copy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least, between
from omniretail.models.neighbours import nearest_users
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.top_k import batches
from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items
from omniretail.views.train import Train

_MEMORY_MB = 64
_DAY_S = 24 * 3600


@dataclass(eq=False)
class ProfileKNN:
    """User-based neighbours by the cosine of an encoder's vectors instead of shared items.

    A user's share of an item is the share of their baskets that held it, where a basket ``half_life_days`` older than
    the user's latest counts half. Scores are ``own_weight`` times the user's own shares plus ``1 - own_weight`` times
    the mean shares of the ``k`` training users with the largest cosine, weighted by that cosine. The blend is that of
    TIFU-KNN (Hu et al., SIGIR 2020), with other neighbours.

    A training user is not their own neighbour; a new user is compared with every training user. Vectors are computed as
    of the training cutoff, or of the end of a history that goes on beyond it. An empty history gets the mean shares of
    all users.

    Args:
        encoder: computes the vectors.
        k: neighbours per user; those with a cosine of 0 or less are left out.
        half_life_days: the age at which a basket counts half.
        own_weight: of the user's own shares, in [0, 1].
    """

    encoder: ProfileEncoder = field(default_factory=CountSVD)
    k: int = 300
    half_life_days: float = 75.0
    own_weight: float = 0.7

    def __post_init__(self) -> None:
        at_least(self, "k", low=1)
        above(self, "half_life_days")
        between(self, "own_weight")

    @property
    def label(self) -> str:
        """The name with its encoder's, such as ``ProfileKNN (CountSVD)``."""
        return f"ProfileKNN ({type(self.encoder).__name__})"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.models_: dict[str, Any] = {"encoder": copy.deepcopy(self.encoder).fit(train)}
        self.at_ = np.array(train.at)
        self.shares_ = self._shares(train.histories)  # (U, I)
        self.popularity_ = np.asarray(self.shares_.mean(axis=0), dtype=np.float32)  # (I,)
        self.vectors_ = self._unit_vectors(train.histories)  # (U, D)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.empty((len(users), users.n_items), dtype=np.float32)
        for rows in batches(len(users), len(self.vectors_), _MEMORY_MB):
            batch = users.take(rows)
            cosine = self._unit_vectors(batch) @ self.vectors_.T  # (B, U)
            shared = sparse.csr_array(_averaging(nearest_users(cosine, batch.user_idx, self.k)) @ self.shares_)
            scores[rows] = ((1 - self.own_weight) * shared + self.own_weight * self._shares(batch)).toarray()
        scores[users.lengths == 0] = self.popularity_
        return scores

    def _unit_vectors(self, users: Histories) -> np.ndarray:
        vectors = self.models_["encoder"].embed(users, users.as_of(int(self.at_)))
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def _shares(self, histories: Histories) -> sparse.csr_array:
        """Share of each user's baskets that held the item, recent baskets counting more; shape (U, I)."""
        baskets = once_per_basket(histories)
        row = baskets.rows  # (E,), like all that follows
        age_s = baskets.timestamp[baskets.offsets[row + 1] - 1] - baskets.timestamp
        weight = 0.5 ** (age_s / (_DAY_S * self.half_life_days))
        opens = np.diff(baskets.basket, prepend=-1) != 0
        opens[baskets.offsets[row]] = True
        total = np.bincount(row[opens], weights=weight[opens], minlength=len(baskets))
        return user_items(baskets, weight / total[row])


def _averaging(neighbours: sparse.csr_array) -> sparse.csr_array:
    """The positive similarities of each row, scaled to sum to one; shape (B, U)."""
    neighbours.data = np.maximum(neighbours.data, 0)
    total = neighbours.sum(axis=1)
    neighbours.data /= np.repeat(np.where(total > 0, total, 1), np.diff(neighbours.indptr))
    return neighbours
