"""CountSVD: how often a customer bought what, in few dimensions."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse

from omniretail.models.neighbours import rarity
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.matrix import user_items
from omniretail.views.train import Train


class CountSVD:
    """Latent semantic analysis (Deerwester et al., JASIS 1990) of customers: items are the words, customers the texts.

    Lines are counted by item and by words of the item table, weighed, and projected on the directions in which training
    customers differ most.

    Args:
        dim: D; fewer where the data has fewer customers or columns.
        items: count each item.
        levels: of the item table's columns, or ``price_band``: count each of their words; those it lacks are passed
            over.
        weighting: ``log`` of one plus the count, or ``tf-idf``: that times how rare the column is among customers.
        unit_length: scale the items, and each level, to length one per customer: what they buy, not how much.
        seed: of the random projection (Halko, Martinsson and Tropp, SIAM Review 2011).
    """

    def __init__(
        self,
        dim: int = 32,
        items: bool = True,
        levels: Sequence[str] = ("department", "category", "type"),
        weighting: Literal["log", "tf-idf"] = "tf-idf",
        unit_length: bool = False,
        seed: int = 1,
    ) -> None:
        self.dim = dim
        self.items = items
        self.levels = list(levels)
        self.weighting: Literal["log", "tf-idf"] = weighting
        self.unit_length = unit_length
        self.seed = seed

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            ValueError: where there is nothing to count, or the weighting has another name.
        """
        if self.weighting not in ("log", "tf-idf"):
            raise ValueError(f"weighting={self.weighting!r} is neither log nor tf-idf")
        self.item_columns_, self.block_ = self._columns(train)  # (I, F), (F,)
        counts = sparse.csr_array(user_items(train.histories) @ self.item_columns_)
        customers = np.bincount(counts.indices, minlength=len(self.block_))
        rare = rarity(customers, len(train.users))
        self.column_weights_ = rare if self.weighting == "tf-idf" else np.ones_like(rare)  # (F,)
        weighed = self._weighed(train.histories)
        from sklearn.utils.extmath import randomized_svd  # for learning alone

        factors: Any = randomized_svd(
            weighed, min(self.dim, len(train.users), len(self.block_)), random_state=self.seed
        )
        self.directions_ = factors[2].T.copy()  # (F, D)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; an empty history lies at the origin."""
        return (self._weighed(users) @ self.directions_).astype(np.float32)

    def _columns(self, train: Train) -> tuple[sparse.csr_array, np.ndarray]:
        """One where an item counts in a column; and the block, items or a level, of each column."""
        names, _, word_level, item_word = item_attributes(train, self.levels)
        own = np.arange(len(train.items)) if self.items else np.full(len(train.items), -1)
        given = np.where(np.isin(names, self.levels), item_word, -1)  # price bands only where asked for
        said = np.column_stack([own, np.where(given >= 0, given + len(own), -1)])  # (I, 1 + L)
        used, column = np.unique(said, return_inverse=True)
        row, _ = np.nonzero(said >= 0)
        column = (column.reshape(said.shape) - np.sum(used < 0))[said >= 0]
        block = np.concatenate([np.zeros(len(own), dtype=np.int32), word_level + 1])[used[used >= 0]]
        if not len(block):
            raise ValueError(f"items=false and levels={self.levels}: the item table has none of them, so none to count")
        ones = np.ones(len(row), dtype=np.float32)
        return sparse.csr_array((ones, (row, column)), shape=(len(own), len(block))), block

    def _weighed(self, users: Histories) -> sparse.csr_array:
        """What is projected; shape (B, F)."""
        counts = sparse.csr_array(user_items(users) @ self.item_columns_)
        counts.sort_indices()
        counts.data = np.log1p(counts.data) * self.column_weights_[counts.indices]
        if self.unit_length and counts.nnz:
            row = np.repeat(np.arange(len(users)), np.diff(counts.indptr))
            part = row * (self.block_.max() + 1) + self.block_[counts.indices]
            counts.data /= np.sqrt(np.bincount(part, weights=counts.data**2))[part].astype(np.float32)
        return counts
