"""CountSVD: what a customer bought how often, in few dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least, one_of, require
from omniretail.core.errors import SettingsError
from omniretail.models.neighbours import rarity
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.matrix import user_items
from omniretail.views.train import Train


@dataclass(eq=False)
class CountSVD:
    """Latent semantic analysis (Deerwester et al., JASIS 1990) with items for words and customers for texts.

    Lines are counted by item and by attribute values of items, weighted, and projected on the directions in which
    training customers differ most.

    Args:
        dim: D; fewer where the data has fewer customers or columns.
        items: count each item.
        levels: columns of the item table, or ``price_band``: count each of their values; those it lacks are ignored.
        weighting: ``log`` of one plus the count, or ``tf-idf``: that times the rarity of the column among customers.
        unit_length: scale the items, and each level, to length one per customer: what they buy, not how much.
        seed: of the random projection (Halko, Martinsson and Tropp, SIAM Review 2011).
    """

    dim: int = 32
    items: bool = True
    levels: Sequence[str] = ("department", "category", "type")
    weighting: Literal["log", "tf-idf"] = "tf-idf"
    unit_length: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        self.levels = list(self.levels)
        at_least(self, "dim", low=1)
        one_of(self, "weighting", ("log", "tf-idf"))
        require(self, "levels", self.items or bool(self.levels), "name a column where items=False")

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            SettingsError: where there is nothing to count.
        """
        self.item_columns_, self.block_ = self._columns(train)  # (I, F), (F,)
        counts = sparse.csr_array(user_items(train.histories) @ self.item_columns_)
        customers = np.bincount(counts.indices, minlength=len(self.block_))
        rare = rarity(customers, len(train.users))
        self.column_weights_ = rare if self.weighting == "tf-idf" else np.ones_like(rare)  # (F,)
        weighted = self._weighted(train.histories)
        from sklearn.utils.extmath import randomized_svd  # for learning alone

        factors: Any = randomized_svd(
            weighted, min(self.dim, len(train.users), len(self.block_)), random_state=self.seed
        )
        self.directions_ = factors[2].T.copy()  # (F, D)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; an empty history lies at the origin."""
        return (self._weighted(users) @ self.directions_).astype(np.float32)

    def _columns(self, train: Train) -> tuple[sparse.csr_array, np.ndarray]:
        """1 where an item counts in a column, (I, F); and the block of each column, items or a level, (F,)."""
        names, _, value_level, item_values = item_attributes(train, self.levels)
        own = np.arange(len(train.items)) if self.items else np.full(len(train.items), -1)
        values = np.where(np.isin(names, self.levels), item_values, -1)  # the price band only where levels name it
        codes = np.column_stack([own, np.where(values >= 0, values + len(own), -1)])  # (I, 1 + L)
        used, column = np.unique(codes, return_inverse=True)
        row, _ = np.nonzero(codes >= 0)
        column = (column.reshape(codes.shape) - np.sum(used < 0))[codes >= 0]
        block = np.concatenate([np.zeros(len(own), dtype=np.int32), value_level + 1])[used[used >= 0]]
        if not len(block):
            raise SettingsError(f"items=false and levels={self.levels}: the item table has none of them")
        ones = np.ones(len(row), dtype=np.float32)
        return sparse.csr_array((ones, (row, column)), shape=(len(own), len(block))), block

    def _weighted(self, users: Histories) -> sparse.csr_array:
        """Weighted counts; shape (B, F)."""
        counts = sparse.csr_array(user_items(users) @ self.item_columns_)
        counts.sort_indices()
        counts.data = np.log1p(counts.data) * self.column_weights_[counts.indices]
        if self.unit_length and counts.nnz:
            row = np.repeat(np.arange(len(users)), np.diff(counts.indptr))
            part = row * (self.block_.max() + 1) + self.block_[counts.indices]
            counts.data /= np.sqrt(np.bincount(part, weights=counts.data**2))[part].astype(np.float32)
        return counts
