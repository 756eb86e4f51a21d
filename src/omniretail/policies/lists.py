"""Rules for the items of a list: exclusions, and a limit per category."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.policies.protocol import TableOrPath, require_columns, table
from omniretail.views.histories import Histories
from omniretail.views.train import Train

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Exclude:
    """Never shows the items listed.

    Args:
        items: their ids; or a table with the column ``item_id``.
        where: values of columns of the item table, e.g. ``{department: [FUEL]}``; an item with any of them is excluded.
    """

    items: Sequence[Any] | TableOrPath | None = None
    where: Mapping[str, Sequence[Any]] | None = None

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            DataError: where the item table lacks a column of ``where``.
        """
        excluded = train.items.encode(self._ids())
        if (excluded < 0).any():
            log.warning("%d of %d excluded items are not in the catalogue", (excluded < 0).sum(), len(excluded))
        self.excluded_ = np.isin(np.arange(len(train.items)), excluded)  # (I,)
        for column, values in (self.where or {}).items():
            require_columns("Exclude: the item table", train.item_table, [column])
            self.excluded_ |= train.item_table[column].isin(list(values)).to_numpy()
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        scores[:, self.excluded_] = -np.inf
        return scores

    def _ids(self) -> np.ndarray:
        if self.items is None:
            return np.array([], dtype=object)
        if isinstance(self.items, Sequence) and not isinstance(self.items, str):
            return np.asarray(list(self.items))
        return table(self.items, "items", ["item_id"]).item_id.to_numpy()


@dataclass(eq=False)
class CategoryCap:
    """Shows at most ``cap`` items of one category: those with the highest scores.

    Items without a category are not limited.

    Args:
        cap: items of one category in a list.
        column: of the item table that holds the category.
    """

    cap: int = 2
    column: str = "category"

    def __post_init__(self) -> None:
        at_least(self, "cap", low=1)

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            DataError: where the item table lacks the column.
        """
        require_columns("CategoryCap: the item table", train.item_table, [self.column])
        self.category_ = pd.factorize(train.item_table[self.column])[0]  # (I,), -1 for none
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


@dataclass(eq=False)
class NewArrivals:
    """Shows items that nobody has taken yet, and no others; for ``task.catalogue=listed``."""

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            SettingsError: where the catalogue has no such item.
        """
        self.sold_ = np.bincount(train.histories.item_idx, minlength=len(train.items)) > 0  # (I,)
        if self.sold_.all():
            raise SettingsError("policy=new_arrivals: every item has been taken; set task.catalogue=listed")
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        scores[:, self.sold_] = -np.inf
        return scores
