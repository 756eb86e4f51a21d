"""GF-CF: graph filters without training; a neighbourhood term and a spectral term."""

from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from omniretail.core.checks import at_least, one_of
from omniretail.models.sparse_ops import dense_times_sparse
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

_OVERSAMPLING = 32


@dataclass(eq=False)
class GFCF:
    """A linear and an ideal low-pass filter on the item graph (Shen et al., CIKM 2021).

    With the normalised matrix ``R = Du^-1/2 X Di^-1/2`` (D: the degrees) and V its ``factors`` first right singular
    vectors, a history x scores ``x R'R + alpha x Di^-1/2 V V' Di^1/2``.

    Args:
        alpha: weight of the ideal low-pass filter; 0.3 in the authors' code.
        factors: number of singular vectors.
        iterations: of the randomised decomposition; more is closer to the exact one.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
        seed: of the decomposition's random start.
    """

    label = "GF-CF"

    alpha: float = 0.3
    factors: int = 256
    iterations: int = 8
    weighting: Weighting = "binary"
    seed: int = 42

    def __post_init__(self) -> None:
        at_least(self, "alpha")
        at_least(self, "factors", "iterations", low=1)
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        user_items = weighted_user_items(train.histories, self.weighting)  # (U, I)
        user_roots, roots = (np.sqrt(user_items.sum(axis=axis)) for axis in (1, 0))  # D^1/2: (U,), (I,)
        user_items.data /= np.repeat(user_roots, np.diff(user_items.indptr)) * roots[user_items.indices]
        self.normalised_ = user_items  # R: (U, I)
        vectors = _right_singular_vectors(self.normalised_, self.factors, self.iterations, self.seed)  # V: (I, factors)
        self.encoder_ = vectors / roots[:, None]  # (I, factors)
        self.decoder_ = self.alpha * vectors.T * roots  # (factors, I)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = weighted_user_items(users, self.weighting)  # (B, I)
        scores = dense_times_sparse((own @ self.normalised_.T).toarray(), self.normalised_)
        scores += (own @ self.encoder_) @ self.decoder_
        return scores


def _right_singular_vectors(matrix: sparse.csr_array, n: int, iterations: int, seed: int) -> np.ndarray:
    """Those of the ``n`` largest singular values, by randomised subspace iteration (Halko et al., SIAM Review 2011).

    The iteration runs on the shorter side of the matrix, where orthogonal vectors cost less.

    Returns:
        float32, orthonormal columns; shape (I, min(n, U, I)).
    """
    transposed = sparse.csr_array(matrix.T)
    n_users, n_items = len(matrix.indptr) - 1, len(transposed.indptr) - 1
    n = min(n, n_users, n_items)
    if n_users < n_items:
        right = transposed @ _right_singular_vectors(transposed, n, iterations, seed)
        return right / np.linalg.norm(right, axis=0)
    basis = np.random.default_rng(seed).standard_normal((n_items, n + _OVERSAMPLING), dtype=np.float32)
    for _ in range(iterations):
        basis = _orthonormal(transposed @ (matrix @ basis))  # (I, n + 32)
    projected = matrix @ basis  # (U, n + 32)
    _, rotation = np.linalg.eigh(projected.T @ projected)  # ascending
    return basis @ rotation[:, : -n - 1 : -1]


def _orthonormal(vectors: np.ndarray) -> np.ndarray:
    """A basis of what the columns span; through their products, much faster than QR where columns are long."""
    products = (vectors.T @ vectors).astype(np.float64)
    with threadpool_limits(1, "blas"):  # on a matrix this small, threads wait for each other more than they work
        lengths, rotation = np.linalg.eigh(products)
    real = lengths > 1e-6 * lengths[-1]  # the rest is rounding: there are more columns than dimensions
    return vectors @ (rotation[:, real] / np.sqrt(lengths[real])).astype(np.float32)
