"""Products that two channels sell under two ids, told by their buyers."""

import numpy as np
import pandas as pd
from scipy import sparse


def duplicate_items(
    one: pd.DataFrame, other: pd.DataFrame, least: int = 2, alike: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Items that are most likely one product listed in both logs.

    Two items are duplicates where they share at least ``least`` buyers, who are at least ``alike`` of all buyers of either
    (Jaccard). Between two shops that share customers only, such pairs hardly ever happen. Items with a single buyer
    cannot be told, and need not: a product of which no other event is known cannot be recommended.

    Args:
        one: distinct pairs of ``user_id`` and ``item_id``.
        other: the same of the other log.
        least: shared buyers.
        alike: the least share of shared buyers among all.

    Returns:
        Item ids of the one log and of the other, pair by pair.

    >>> one = pd.DataFrame({"user_id": [1, 2, 3, 1], "item_id": ["shoe", "shoe", "ball", "ball"]})
    >>> other = pd.DataFrame({"user_id": [1, 2, 3], "item_id": [77, 77, 5]})
    >>> duplicate_items(one, other)
    (array(['shoe'], dtype=object), array([77]))
    """
    users = pd.Index(pd.concat([one.user_id, other.user_id]).unique())
    (left, mine), (right, theirs) = (_buyers(log, users) for log in (one, other))
    shared = (left.T @ right).tocoo()
    n_left, n_right = left.sum(axis=0)[shared.row], right.sum(axis=0)[shared.col]
    same = (shared.data >= least) & (shared.data >= alike * (n_left + n_right - shared.data))
    return mine[shared.row[same]], theirs[shared.col[same]]


def _buyers(log: pd.DataFrame, users: pd.Index) -> tuple[sparse.csr_array, np.ndarray]:
    """One where a user has the item, shape (U, I); and the items' ids, ascending."""
    column, items = pd.factorize(log.item_id, sort=True)
    ones = np.ones(len(log), dtype=np.float32)
    return sparse.csr_array((ones, (users.get_indexer(log.user_id), column)), shape=(len(users), len(items))), (
        np.asarray(items)
    )
