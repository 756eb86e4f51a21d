"""What filters on the graph of items share: the normalised matrix, its singular vectors, polynomials of its graph."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from omniretail.core.threads import n_threads

_OVERSAMPLING = 32
_BLOCK = 32


def degree_normalised(user_items: sparse.csr_array, user_exponent: float = 0.5) -> tuple[sparse.csr_array, np.ndarray]:
    """``R = Du^-user_exponent X Di^-1/2``, in place, and the items' degrees.

    Args:
        user_items: weights X, all stored ones positive; shape (U, I). D: sums of its rows, and of its columns.
        user_exponent: with 1/2 the largest singular value of R is 1; with less of it, long histories count more.

    Returns:
        R, shape (U, I), and the diagonal of Di, shape (I,).
    """
    user_scale, item_degrees = user_items.sum(axis=1) ** user_exponent, user_items.sum(axis=0)
    user_items.data /= np.repeat(user_scale, np.diff(user_items.indptr)) * np.sqrt(item_degrees)[user_items.indices]
    return user_items, item_degrees


def chebyshev_sum(signals: np.ndarray, normalised: sparse.csr_array, coefficients: np.ndarray) -> np.ndarray:
    """``sum over k of c_k T_k(I - 2 R'R) x`` for each signal x, by ``T_k = 2 (I - 2 R'R) T_(k-1) - T_(k-2)``.

    Args:
        signals: float32; shape (B, I).
        normalised: R, float32; shape (U, I).
        coefficients: c, at least two; shape (K + 1,).

    Returns:
        float32, contiguous by rows; shape (B, I).
    """
    transposed = normalised.T.tocsr()  # (I, U)
    sums = np.empty_like(signals)
    weights = coefficients.astype(np.float32)

    def block(start: int) -> None:
        rows = slice(start, start + _BLOCK)
        before = np.ascontiguousarray(signals[rows].T)  # T_0 x: (I, b)
        current = before - 2 * (transposed @ (normalised @ before))  # T_1 x
        total = weights[0] * before + weights[1] * current
        for weight in weights[2:]:
            following = transposed @ (normalised @ current)
            following *= -4
            following += 2 * current
            following -= before
            before, current = current, following
            total += weight * current
        sums[rows] = total.T

    with ThreadPoolExecutor(n_threads()) as pool:  # SciPy releases the interpreter lock while it multiplies
        list(pool.map(block, range(0, len(signals), _BLOCK)))
    return sums


def right_singular_vectors(matrix: sparse.csr_array, n: int, iterations: int, seed: int) -> np.ndarray:
    """Those of the ``n`` largest singular values, by randomised subspace iteration (Halko et al., SIAM Review 2011).

    The iteration runs on the shorter side of the matrix, where orthogonal vectors cost less.

    Returns:
        float32, orthonormal columns; shape (I, min(n, U, I)).
    """
    transposed = sparse.csr_array(matrix.T)
    n_users, n_items = len(matrix.indptr) - 1, len(transposed.indptr) - 1
    n = min(n, n_users, n_items)
    if n_users < n_items:
        right = transposed @ right_singular_vectors(transposed, n, iterations, seed)
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
