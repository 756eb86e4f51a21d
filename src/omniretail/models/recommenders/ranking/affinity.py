"""The user's taste for the category, brand or price band of each candidate."""

import numpy as np

from omniretail.models.recommenders.ranking.pairs import Groups, Pairs, days_ago
from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories

_HALF_LIFE_DAYS = 28
_LEAST = 0.01


def affinity_features(
    users: Histories,
    at: np.ndarray,
    pairs: Pairs,
    item_values: np.ndarray,
    level_names: np.ndarray,
    popularity: np.ndarray,
) -> dict[str, np.ndarray]:
    """Features of each pair from the user's purchases of items that share a value with the candidate.

    All are NaN for an item without a value on a level.

    Args:
        users: histories of B users.
        at: time at which each is served, seconds since 1970; shape (B,).
        pairs: P candidates.
        item_values: index of each item's value on each level, -1 where it has none; shape (I, L).
        level_names: shape (L,).
        popularity: customers of each item in the last 28 days; shape (I,).
    """
    baskets = once_per_basket(users)
    decay = 0.5 ** (days_ago(baskets, at) / _HALF_LIFE_DAYS)
    item = Groups(baskets.rows * pairs.n_items + baskets.item_idx)
    own = [item.lookup(pairs.keys, item.sum(each), 0) for each in (np.ones(len(decay)), decay)]
    lines = [np.bincount(baskets.rows, weights=each, minlength=len(users)) for each in (None, decay)]
    features = {}
    for level, name in zip(item_values.T, level_names.tolist(), strict=True):
        values = level.astype(np.int64)
        groups, n_values = Groups(_keys(baskets, values)), values.max(initial=-1) + 2
        query = pairs.row * n_values + values[pairs.item] + 1
        n, decayed = (groups.lookup(query, groups.sum(each), 0) for each in (np.ones(len(decay)), decay))
        sold = np.bincount(values + 1, weights=popularity, minlength=n_values)[values[pairs.item] + 1]
        of_level = {
            "share": n / np.maximum(lines[0][pairs.row], 1),
            "decayed_share": decayed / np.maximum(lines[1][pairs.row], _LEAST),
            "days_since": groups.lookup(query, groups.last(days_ago(baskets, at)), np.nan),
            "item_share": own[0] / np.maximum(n, 1),
            "item_decayed_share": own[1] / np.maximum(decayed, _LEAST),
            "item_sales_share": popularity[pairs.item] / np.maximum(sold, 1),
        }
        absent = values[pairs.item] < 0
        features |= {f"{name}_{each}": np.where(absent, np.nan, column) for each, column in of_level.items()}
    return features


def _keys(baskets: Histories, values: np.ndarray) -> np.ndarray:
    """One number for each event's user and value; shape (E,)."""
    return baskets.rows * (values.max(initial=-1) + 2) + values[baskets.item_idx] + 1
