"""SLIM: sparse item weights from an elastic net, one small regression per item."""

from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least, one_of
from omniretail.models.neighbours import candidate_products, similar_items
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

_BLOCK = 256


@dataclass(eq=False)
class SLIM:
    """Non-negative item weights with a zero diagonal, in the faster form fsSLIM (Ning and Karypis, ICDM 2011).

    For each item j, over its ``k`` most cosine-similar other items only, it minimises

        1/2 |x_j - X w|^2 + l1 |w|_1 + l2/2 |w|^2,  w >= 0

    by coordinate descent, for a block of items at once. (scikit-learn's ``ElasticNet`` divides the first term by the
    number of users U: its ``alpha`` is ``(l1 + l2) / U``, its ``l1_ratio`` ``l1 / (l1 + l2)``.)

    Args:
        k: candidate items per item.
        l1: the paper's lambda; more of it leaves fewer weights.
        l2: the paper's beta; more of it leaves smaller weights.
        max_iter: sweeps over the candidates at most.
        tolerance: stop when no weight moves by more.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
    """

    k: int = 100
    l1: float = 1.0
    l2: float = 10.0
    max_iter: int = 100
    tolerance: float = 1e-3
    weighting: Weighting = "binary"

    def __post_init__(self) -> None:
        at_least(self, "k", "max_iter", low=1)
        at_least(self, "l1", "l2", "tolerance")
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        user_items = weighted_user_items(train.histories, self.weighting)
        weights = similar_items(user_items, self.k)  # (I, I): the candidates; weights replace the similarities
        candidates = np.split(weights.indices, weights.indptr[1:-1])
        item_users = user_items.T.tocsr()
        blocks = range(0, len(candidates), _BLOCK)
        weights.data = np.concatenate([self._solve(item_users, candidates[b : b + _BLOCK], b) for b in blocks])
        weights.eliminate_zeros()
        self.item_weights_ = weights.T.tocsr()  # (I, I): column j scores item j
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return (weighted_user_items(users, self.weighting) @ self.item_weights_).toarray()

    def _solve(self, item_users: sparse.csr_array, candidates: list[np.ndarray], first: int) -> np.ndarray:
        """Weights of the items ``first``, ``first + 1``, … on their candidates, one after the other."""
        solved = self._descend(*candidate_products(item_users, candidates, first))  # (b, k)
        return np.concatenate([weights[: len(own)] for weights, own in zip(solved, candidates, strict=True)])

    def _descend(self, products: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Coordinate descent on b regressions at once.

        Args:
            products: of each candidate with each; shape (k, b, k).
            targets: of each candidate with the item itself; shape (b, k).

        Returns:
            Weights; shape (b, k).
        """
        weights, rest = np.zeros_like(targets), targets.copy()  # rest: targets - products @ weights
        for _ in range(self.max_iter):
            largest_step = 0.0
            for c, row in enumerate(products):  # (b, k)
                own = row[:, c]
                solved = np.maximum(rest[:, c] + own * weights[:, c] - self.l1, 0) / np.maximum(own + self.l2, 1e-9)
                step = solved - weights[:, c]
                rest -= step[:, None] * row
                weights[:, c] = solved
                largest_step = max(largest_step, np.abs(step).max())
            if largest_step < self.tolerance:
                break
        return weights
