"""Rows as numbers: categories counted from 1 in order of appearance, quantities standardised."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

MISSING = "missing"


@dataclass(frozen=True)
class Features:
    """How each column is read, learned from training rows.

    Attributes:
        columns: their names; shape (C,).
        means: of quantities, NaN for categories; shape (C,).
        scales: standard deviations of quantities, 1 where there is no spread; shape (C,).
        words: the categories of all columns, one column after the other; shape (W,).
        n_words: categories per column, 0 for quantities; shape (C,).
    """

    columns: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    words: np.ndarray
    n_words: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Features":
        """Learn means, spreads and categories."""
        quantities = [str(column) for column in rows if is_quantity(rows, str(column))]
        numbers = rows[quantities].astype(np.float64)
        known = pd.DataFrame({"mean": numbers.mean(), "scale": numbers.std(ddof=0)}, index=rows.columns)
        words = [[] if column in quantities else pd.unique(as_words(rows, str(column))) for column in rows]
        return cls(
            columns=np.array(rows.columns, dtype=str),
            means=known["mean"].to_numpy(),
            scales=known["scale"].replace(0.0, 1.0).to_numpy(),
            words=np.array([word for column in words for word in column], dtype=str),
            n_words=np.array([len(column) for column in words]),
        )

    @property
    def quantities(self) -> list[str]:
        """Columns that hold quantities."""
        return self.columns[self.n_words == 0].tolist()

    def vocabularies(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each category column with its words."""
        for name, words in zip(self.columns, np.split(self.words, np.cumsum(self.n_words)[:-1]), strict=True):
            if len(words):
                yield str(name), words

    def standardised(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        """Quantities with mean 0 and spread 1, 0 where missing; each of shape (N,)."""
        known = pd.DataFrame({"mean": self.means, "scale": self.scales}, index=self.columns)
        return {
            name: ((rows[name] - known["mean"][name]) / known["scale"][name]).fillna(0.0).to_numpy(np.float64)
            for name in self.quantities
        }

    def numbered(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        """Categories as their numbers, counted from 1; 0 where training knew of none. Each int64, shape (N,)."""
        return {
            name: pd.Index(words.astype(object)).get_indexer(as_words(rows, name)).astype(np.int64) + 1
            for name, words in self.vocabularies()
        }

    def require(self, rows: pd.DataFrame) -> None:
        """Check that all columns are there.

        Raises:
            ValueError: naming the first that is not.
        """
        absent = [name for name in self.columns.tolist() if name not in rows.columns]
        if absent:
            raise ValueError(f"the rows have no column {absent[0]!r}, which the model was fitted with")


def is_quantity(rows: pd.DataFrame, column: str) -> bool:
    """Numbers are quantities, unless they are ids."""
    dtype = rows.dtypes[column]
    numeric = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    return numeric and not column.endswith("_id")


def as_words(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Categories as plain strings; a missing one is a category too. Shape (N,), of objects."""
    words = pd.Series(rows[column]).astype(object)
    return words.where(words.notna(), MISSING).map(str).to_numpy(dtype=object)
