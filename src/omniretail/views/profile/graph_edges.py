"""Edges between customers and what they have events with: items and stores."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items


@dataclass(frozen=True)
class Edges:
    """E distinct edges of U customers to items and stores, each customer's together.

    Attributes:
        offsets: customer u owns the edges ``offsets[u]:offsets[u + 1]``; int64, shape (U + 1,).
        node: item, or the number of items plus the store; int64, ascending within a customer, shape (E,).
        weight: logarithm of one plus the number of events; float32, shape (E,).
    """

    offsets: np.ndarray
    node: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, histories: Histories, n_stores: int) -> "Edges":
        """The edges of customers; events without a store have an edge to their item alone."""
        n_events = user_items(histories, np.ones(len(histories.item_idx)))
        known = histories.store >= 0
        places = (histories.rows[known], histories.store[known])
        shape = (len(histories), n_stores)
        visits = sparse.coo_array((np.ones(known.sum(), dtype=np.float32), places), shape=shape)
        both = sparse.csr_array(sparse.hstack([n_events, visits.tocsr()], format="csr"))
        both.sort_indices()
        return cls(both.indptr.astype(np.int64), both.indices.astype(np.int64), np.log1p(both.data).astype(np.float32))
