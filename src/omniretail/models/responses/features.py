"""How rows are read as numbers: categories as codes from 1, quantities standardised."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError

MISSING = "missing"


@dataclass(frozen=True)
class Features:
    """How each column is read, learned from training rows.

    Attributes:
        columns: their names; shape (C,).
        means: of quantities, NaN for categories; shape (C,).
        scales: standard deviations of quantities, 1 where there is no spread; shape (C,).
        categories: of all columns, one column after the other; shape (V,).
        n_categories: per column, 0 for quantities; shape (C,).
    """

    columns: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    categories: np.ndarray
    n_categories: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Features":
        """Learn means, spreads and categories."""
        quantities = [str(column) for column in rows if is_quantity(rows, str(column))]
        numbers = rows[quantities].astype(np.float64)
        statistics = pd.DataFrame({"mean": numbers.mean(), "scale": numbers.std(ddof=0)}, index=rows.columns)
        categories = [[] if column in quantities else pd.unique(as_text(rows, str(column))) for column in rows]
        return cls(
            columns=np.array(rows.columns, dtype=str),
            means=statistics["mean"].to_numpy(),
            scales=statistics["scale"].replace(0.0, 1.0).to_numpy(),
            categories=np.array([category for column in categories for category in column], dtype=str),
            n_categories=np.array([len(column) for column in categories]),
        )

    @property
    def quantities(self) -> list[str]:
        """Columns that hold quantities."""
        return self.columns[self.n_categories == 0].tolist()

    def vocabularies(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each column of categories with these."""
        split = np.split(self.categories, np.cumsum(self.n_categories)[:-1])
        for name, categories in zip(self.columns, split, strict=True):
            if len(categories):
                yield str(name), categories

    def standardised(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        """Quantities with mean 0 and spread 1, 0 where missing; each of shape (N,)."""
        of_column = pd.DataFrame({"mean": self.means, "scale": self.scales}, index=self.columns)
        return {
            name: ((rows[name] - of_column["mean"][name]) / of_column["scale"][name]).fillna(0.0).to_numpy(np.float64)
            for name in self.quantities
        }

    def codes(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        """Categories as numbers from 1, in order of first appearance; 0 for a new one. Each int64, shape (N,)."""
        return {
            name: pd.Index(categories.astype(object)).get_indexer(as_text(rows, name)).astype(np.int64) + 1
            for name, categories in self.vocabularies()
        }

    def require(self, rows: pd.DataFrame) -> None:
        """Check that all columns are there.

        Raises:
            SettingsError: naming the first that is not.
        """
        absent = [name for name in self.columns.tolist() if name not in rows.columns]
        if absent:
            raise SettingsError(f"the rows have no column {absent[0]!r}, which the model was fitted with")


def is_quantity(rows: pd.DataFrame, column: str) -> bool:
    """Whether a column holds quantities: numbers do, unless they are ids."""
    dtype = rows.dtypes[column]
    numeric = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    return numeric and not column.endswith("_id")


def as_text(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Categories as plain strings; a missing one is a category too. Shape (N,), of objects."""
    values = pd.Series(rows[column]).astype(object)
    return values.where(values.notna(), MISSING).map(str).to_numpy(dtype=object)
