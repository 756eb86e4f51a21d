"""SparseEASE: EASE's weights on each item's nearest items alone, for catalogues too large for a dense inverse."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
from scipy import sparse
from tqdm import tqdm

from omniretail.core.checks import above, at_least, one_of
from omniretail.core.threads import n_threads
from omniretail.models.neighbours import candidate_products, similar_items
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

_BLOCK = 64


@dataclass(eq=False)
class SparseEASE:
    """Item weights B that minimise ``|X - XB|^2 + l2 |B|^2``, column j zero but for the ``k`` items most similar to j.

    EASE (Steck, WWW 2019) needs the inverse P of ``A = X'X + l2 I``. SANSA (Spišák et al., RecSys 2023) replaces it by
    a sparse approximate inverse, by an incomplete factorisation. Here column j of P is that of the inverse of A over
    j and its candidates, so that ``B = I - P / diag(P)`` is the exact minimum under the zeros: with the candidates S,
    ``(A_SS)^-1 A_Sj``. With all items as candidates it is EASE.

    Memory: 8 bytes x items x k; time: items x k^3 / 3, in parallel.

    Args:
        k: candidates per item, by cosine.
        l2: as EASE's.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
    """

    k: int = 200
    l2: float = 100.0
    weighting: Weighting = "binary"

    def __post_init__(self) -> None:
        at_least(self, "k", low=1)
        above(self, "l2")
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        user_items = weighted_user_items(train.histories, self.weighting)
        weights = similar_items(user_items, self.k)  # (I, I): the candidates; weights replace the similarities
        candidates = np.split(weights.indices, weights.indptr[1:-1])
        item_users = user_items.T.tocsr()
        blocks = range(0, len(candidates), _BLOCK)
        with ThreadPoolExecutor(n_threads()) as pool:  # NumPy and SciPy release the interpreter lock
            solved = pool.map(lambda b: self._solve(item_users, candidates[b : b + _BLOCK], b), blocks)
            parts = list(tqdm(solved, desc="SparseEASE", total=len(blocks), delay=3, leave=False, disable=None))
        weights.data = np.concatenate(parts)
        self.item_weights_ = weights.T.tocsr()  # (I, I): column j scores item j
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return (weighted_user_items(users, self.weighting) @ self.item_weights_).toarray()

    def _solve(self, item_users: sparse.csr_array, candidates: list[np.ndarray], first: int) -> np.ndarray:
        """Weights of the items ``first``, ``first + 1``, … on their candidates, one after the other."""
        products, targets = candidate_products(item_users, candidates, first)  # (k, b, k), (b, k)
        products = products.transpose(1, 0, 2) + np.float32(self.l2) * np.eye(products.shape[2], dtype=np.float32)
        solved = np.linalg.solve(products, targets[:, :, None])[:, :, 0]  # (b, k); 0 where there is no candidate
        return np.concatenate([weights[: len(own)] for weights, own in zip(solved, candidates, strict=True)])
