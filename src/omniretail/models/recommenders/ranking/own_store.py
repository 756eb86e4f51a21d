"""How each candidate sells in the user's store."""

import numpy as np
from scipy import sparse

from omniretail.models.recommenders.ranking.pairs import Pairs, days_ago
from omniretail.views.histories import Histories

_HALF_LIFE_DAYS = 60


def store_features(
    users: Histories, at: np.ndarray, pairs: Pairs, sales: dict[str, sparse.csr_array]
) -> dict[str, np.ndarray]:
    """Events of the item in the store, and its share of the store's events; each of shape (P,).

    The store is that in which the user is served, else the one visited most, where a visit counts half after 60 days.
    All are NaN for a user without a store.

    Args:
        users: histories of B users.
        at: time at which each is served, seconds since 1970; shape (B,).
        pairs: P candidates.
        sales: by horizon, events of each item in each store, shape (S, I).
    """
    n_stores = len(next(iter(sales.values())).indptr) - 1
    store = own_stores(users, at, n_stores)[pairs.row]
    features = {}
    for horizon, matrix in sales.items():
        sold = np.asarray(matrix[np.maximum(store, 0), pairs.item]).ravel().astype(np.float64)
        total = np.maximum(matrix.sum(axis=1), 1)[np.maximum(store, 0)]
        features[f"store_sales_{horizon}"] = np.where(store >= 0, sold, np.nan)
        features[f"store_share_{horizon}"] = np.where(store >= 0, sold / total, np.nan)
    return features


def own_stores(users: Histories, at: np.ndarray, n_stores: int) -> np.ndarray:
    """Index of each user's store, -1 where there is none; shape (B,)."""
    located = users.store >= 0
    weight = 0.5 ** (days_ago(users, at)[located] / _HALF_LIFE_DAYS)
    place = users.rows[located] * n_stores + users.store[located]
    visits = np.bincount(place, weights=weight, minlength=len(users) * n_stores).reshape(len(users), n_stores)
    most = np.where(visits.any(axis=1), visits.argmax(axis=1), -1) if len(users) else np.zeros(0, np.int64)
    return np.where(users.at_store >= 0, users.at_store, most)
