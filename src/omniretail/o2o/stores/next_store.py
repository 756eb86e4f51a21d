"""Stores to which a customer may be sent: the likeliest next ones among those that are near enough and open."""

from collections.abc import Sequence

import numpy as np

from omniretail.models.top_k import top_k
from omniretail.policies.stores import Reach
from omniretail.views.histories import Histories


def next_stores(
    scores: np.ndarray, users: Histories, reach: Sequence[Reach], k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest stores that every limit allows.

    Args:
        scores: a store model's, of the same customers; changed in place; shape (B, S).
        users: histories of the B customers.
        reach: fitted limits, such as ``policies.store_limits.WithinDistance`` and ``OpenAt``.
        k: stores per customer; no more than there are.

    Returns:
        Numbers of stores, best first, -1 where limits leave fewer; and their scores, -inf there. Both (B, k).

    Raises:
        ValueError: where ``k`` is below 1 or above the number of stores.
    """
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"k={k} is not between 1 and the number of stores, {scores.shape[1]}")
    for limit in reach:
        scores[~limit.within(users)] = -np.inf
    return top_k(scores, k)
