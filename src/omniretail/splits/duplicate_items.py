"""Products that two channels sell under two ids, recognised by their buyers."""

import numpy as np
import pandas as pd
from scipy import sparse


def duplicate_items(
    one: pd.DataFrame, other: pd.DataFrame, min_buyers: int = 2, min_jaccard: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Items that are most likely one product listed in both logs.

    Two items are duplicates where they share at least ``min_buyers`` buyers and the Jaccard similarity of their buyers
    is at least ``min_jaccard``. Between two shops that share customers but no products, such pairs are very rare.

    Args:
        one: distinct pairs of ``user_id`` and ``item_id``.
        other: the same of the other log.
        min_buyers: lowest number of shared buyers.
        min_jaccard: lowest share of shared buyers among the buyers of either.

    Returns:
        Item ids of the one log and of the other, pair by pair.

    >>> one = pd.DataFrame({"user_id": [1, 2, 3, 1], "item_id": ["shoe", "shoe", "ball", "ball"]})
    >>> other = pd.DataFrame({"user_id": [1, 2, 3], "item_id": [77, 77, 5]})
    >>> duplicate_items(one, other)
    (array(['shoe'], dtype=object), array([77]))
    """
    users = pd.Index(pd.concat([one.user_id, other.user_id]).unique())
    (left, left_ids), (right, right_ids) = (_buyers(log, users) for log in (one, other))
    shared = (left.T @ right).tocoo()
    n_left, n_right = left.sum(axis=0)[shared.row], right.sum(axis=0)[shared.col]
    same = (shared.data >= min_buyers) & (shared.data >= min_jaccard * (n_left + n_right - shared.data))
    return left_ids[shared.row[same]], right_ids[shared.col[same]]


def _buyers(log: pd.DataFrame, users: pd.Index) -> tuple[sparse.csr_array, np.ndarray]:
    """1 where a user has the item, shape (U, I); and the items' ids, ascending."""
    column, items = pd.factorize(log.item_id, sort=True)
    ones = np.ones(len(log), dtype=np.float32)
    return sparse.csr_array((ones, (users.get_indexer(log.user_id), column)), shape=(len(users), len(items))), (
        np.asarray(items)
    )
