"""The user-item matrix: always users x items."""

from typing import Literal

import numpy as np
from scipy import sparse

from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories

Weighting = Literal["binary", "log", "count"]
"""Weight of a pair: 1; log(1 + n), where n baskets of the user hold the item; or n. A basket counts as much as the
weight of its event."""


def user_items(histories: Histories, weights: np.ndarray | None = None) -> sparse.csr_array:
    """Sum of event weights per user and item.

    Args:
        histories: of U users over I items.
        weights: one per event, shape (E,); None: the events' own, ``histories.weight``.

    Returns:
        float32, sorted indices, 32 bits wide wherever they fit; shape (U, I).
    """
    weights = (histories.weight if weights is None else weights).astype(np.float32)
    fits = len(histories.item_idx) <= np.iinfo(np.int32).max
    offsets = histories.offsets.astype(np.int32 if fits else np.int64)  # SciPy takes the widest of both index arrays
    item_idx = histories.item_idx.copy()  # SciPy sorts it in place
    matrix = sparse.csr_array((weights, item_idx, offsets), shape=(len(histories), histories.n_items))
    matrix.sum_duplicates()
    return matrix


def binary_user_items(histories: Histories) -> sparse.csr_array:
    """1 where the user has an event with the item; float32, shape (U, I)."""
    matrix = user_items(histories)
    matrix.data[:] = 1.0
    return matrix


def weighted_user_items(histories: Histories, weighting: Weighting) -> sparse.csr_array:
    """Weights of pairs, see ``Weighting``; float32, shape (U, I)."""
    if weighting == "binary":
        return binary_user_items(histories)
    matrix = user_items(once_per_basket(histories))
    if weighting == "log":
        np.log1p(matrix.data, out=matrix.data)
    return matrix
