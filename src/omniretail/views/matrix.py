"""The user-item matrix: always users x items."""

import numpy as np
from scipy import sparse

from omniretail.views.histories import Histories


def user_items(histories: Histories, weights: np.ndarray | None = None) -> sparse.csr_array:
    """Sum of event weights per user and item.

    Args:
        histories: of U users over I items.
        weights: one per event, shape (E,); None: every event counts one.

    Returns:
        float32, sorted indices, 32 bits wide wherever they fit; shape (U, I).
    """
    weights = np.ones(len(histories.item_idx), dtype=np.float32) if weights is None else weights.astype(np.float32)
    fits = len(histories.item_idx) <= np.iinfo(np.int32).max
    offsets = histories.offsets.astype(np.int32 if fits else np.int64)  # SciPy takes the widest of both index arrays
    item_idx = histories.item_idx.copy()  # SciPy sorts it in place
    matrix = sparse.csr_array((weights, item_idx, offsets), shape=(len(histories), histories.n_items))
    matrix.sum_duplicates()
    return matrix


def binary_user_items(histories: Histories) -> sparse.csr_array:
    """One where the user touched the item at least once; float32, shape (U, I)."""
    matrix = user_items(histories)
    matrix.data[:] = 1.0
    return matrix
