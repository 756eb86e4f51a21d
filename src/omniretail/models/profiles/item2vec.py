"""Item2Vec: the mean of the vectors of a customer's items."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least, between, one_of
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items, user_items
from omniretail.views.train import Train

_DAY_S = 24 * 3600


@dataclass(eq=False)
class Item2Vec:
    """Item vectors from what is bought together, factored from counts rather than trained by gradient.

    Item2vec (Barkan and Koenigstein, MLSP 2016) is skip-gram with negative sampling on sets of items. Here no skip-gram
    runs: Levy and Goldberg (NeurIPS 2014) show that it factors the matrix of pointwise mutual information less
    ``log(negatives)``, and that the truncated SVD of its positive part does about as well. That SVD is computed, with
    symmetric factors ``U sqrt(S)`` and the smoothed contexts of Levy, Goldberg and Dagan (TACL 2015).

    Args:
        dim: D; fewer where there are fewer items.
        sets: items of one set are together: of a ``basket``, or of a ``history`` for logs of one item a basket.
        negatives: the skip-gram's negative samples per pair.
        smoothing: exponent of an item's frequency as a context; 1: none.
        half_life_days: age before the customer's newest event at which a line counts half; None: all count the same.
        seed: of the SVD's random projection.
    """

    dim: int = 64
    sets: Literal["basket", "history"] = "basket"
    negatives: int = 1
    smoothing: float = 0.75
    half_life_days: float | None = 91
    seed: int = 1

    def __post_init__(self) -> None:
        at_least(self, "dim", "negatives", low=1)
        between(self, "smoothing")
        above(self, "half_life_days")
        one_of(self, "sets", ("basket", "history"))

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``."""
        association = self._association(train.histories)
        rank = min(self.dim, len(train.items))
        from sklearn.utils.extmath import randomized_svd  # for learning alone

        factors: Any = randomized_svd(association, rank, random_state=self.seed)
        left, strength, _ = factors
        self.item_vectors_ = (left * np.sqrt(strength)).astype(np.float32)  # (I, D)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; an empty history lies at the origin."""
        weights = user_items(users, self._weights(users))  # (B, I)
        total = np.asarray(weights.sum(axis=1))
        return (weights @ self.item_vectors_ / np.where(total > 0, total, 1)[:, None]).astype(np.float32)

    def _weights(self, users: Histories) -> np.ndarray:
        """Of each event; that of a customer's newest event is 1, whatever its age."""
        if self.half_life_days is None or not len(users.timestamp):
            return np.ones(len(users.timestamp))
        newest = np.maximum.reduceat(users.timestamp, users.offsets[:-1][users.lengths > 0])
        days = (np.repeat(newest, users.lengths[users.lengths > 0]) - users.timestamp) / _DAY_S
        return 0.5 ** (days / self.half_life_days)

    def _association(self, histories: Histories) -> sparse.csr_array:
        """Shifted positive pointwise mutual information of items; shape (I, I)."""
        together = _together(_baskets(histories) if self.sets == "basket" else binary_user_items(histories))
        times, contexts = _sum(together, 1), _sum(together, 0) ** self.smoothing  # (I,), (I,)
        chance = times[together.row] * (contexts / max(contexts.sum(), 1))[together.col]
        information = np.log(together.data / chance) - np.log(self.negatives)
        positive = information > 0
        pairs = (together.row[positive], together.col[positive])
        return sparse.csr_array((information[positive], pairs), shape=together.shape)


def _baskets(histories: Histories) -> sparse.csr_array:
    """1 where a basket holds the item; shape (number of baskets, I)."""
    first = np.cumsum(histories.n_baskets) - histories.n_baskets
    basket = first[histories.rows] + histories.basket
    shape = (int(histories.n_baskets.sum()), histories.n_items)
    matrix = sparse.csr_array((np.ones(len(basket)), (basket, histories.item_idx)), shape=shape)
    matrix.data[:] = 1.0  # duplicates were added up
    return matrix


def _together(sets: sparse.csr_array) -> sparse.coo_array:
    """Number of sets that hold both of two different items; shape (I, I)."""
    pairs = sparse.coo_array(sets.T.astype(np.float64) @ sets)
    distinct = pairs.row != pairs.col
    return sparse.coo_array((pairs.data[distinct], (pairs.row[distinct], pairs.col[distinct])), shape=pairs.shape)


def _sum(matrix: sparse.coo_array, axis: int) -> np.ndarray:
    return np.asarray(matrix.sum(axis=axis))
