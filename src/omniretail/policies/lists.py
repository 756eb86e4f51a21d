"""What a list may hold: no item that is excluded, no more than so many of one category."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.policies.protocol import TableOrPath, table
from omniretail.views.histories import Histories
from omniretail.views.train import Train

log = logging.getLogger(__name__)


class Exclude:
    """Never shows some items.

    Args:
        items: their ids; or a table with the column ``item_id``.
        where: values of columns of the item table, e.g. ``{department: [FUEL]}``; an item with any of them is excluded.
    """

    def __init__(
        self, items: Sequence[Any] | TableOrPath | None = None, where: Mapping[str, Sequence[Any]] | None = None
    ) -> None:
        self.items = items
        self.where = where

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            ValueError: where the item table lacks a column of ``where``.
        """
        excluded = train.items.encode(self._ids())
        if (excluded < 0).any():
            log.warning("%d of %d excluded items are not in the catalogue", (excluded < 0).sum(), len(excluded))
        out = np.isin(np.arange(len(train.items)), excluded)
        for column, values in (self.where or {}).items():
            if column not in train.item_table:
                known = ", ".join(map(str, train.item_table.columns))
                raise ValueError(f"Exclude: the item table has no column {column!r}; it has {known}")
            out |= train.item_table[column].isin(list(values)).to_numpy()
        self.out_ = out  # (I,)
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        scores[:, self.out_] = -np.inf
        return scores

    def _ids(self) -> np.ndarray:
        if self.items is None:
            return np.array([], dtype=object)
        if isinstance(self.items, Sequence) and not isinstance(self.items, str):
            return np.asarray(list(self.items))
        return table(self.items, "items", ["item_id"]).item_id.to_numpy()


class CategoryCap:
    """Shows no more than so many items of one category: those with the highest scores.

    Items of unknown category are not limited.

    Args:
        cap: items of one category in a list.
        column: of the item table that tells the category.

    Raises:
        ValueError: where ``cap`` is below 1.
    """

    def __init__(self, cap: int = 2, column: str = "category") -> None:
        if cap < 1:
            raise ValueError(f"CategoryCap: cap={cap} would show nothing; it must be 1 or more")
        self.cap = cap
        self.column = column

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            ValueError: where the item table does not have the column.
        """
        if self.column not in train.item_table:
            known = ", ".join(map(str, train.item_table.columns))
            raise ValueError(f"CategoryCap: the item table has no column {self.column!r}; it has {known}")
        self.category_ = pd.factorize(train.item_table[self.column])[0]  # (I,), -1 where unknown
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        for row in scores:
            open_ = np.flatnonzero((row > -np.inf) & (self.category_ >= 0))
            category = self.category_[open_]
            order = np.lexsort((-row[open_], category))  # ties by index, as in lists
            place = np.arange(len(order)) - np.searchsorted(category[order], category[order])
            row[open_[order[place >= self.cap]]] = -np.inf
        return scores
