"""Attributes of a table's rows as a sparse matrix, for models that embed each attribute value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class AttributeValues:
    """A fixed set of attribute values, in ascending order, such as ``category=BREAD``.

    Attributes:
        labels: shape (F,).
    """

    labels: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame) -> "AttributeValues":
        """Every attribute value of a table whose first column is the id."""
        return cls(np.unique(np.array(_pairs(table)[1], dtype=np.str_)))

    def encode(self, table: pd.DataFrame) -> sparse.csr_array:
        """1 where a row has the value; other values of the row are ignored. float32, shape (N, F)."""
        row, value = _pairs(table)
        column = pd.Index(self.labels).get_indexer(pd.Index(value, dtype=object))
        in_set = column >= 0
        ones = np.ones(in_set.sum(), dtype=np.float32)
        matrix = sparse.csr_array((ones, (row[in_set], column[in_set])), shape=(len(table), len(self.labels)))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix


def _pairs(table: pd.DataFrame) -> tuple[np.ndarray, Sequence[str]]:
    """Rows and values: each cell, and each word of a cell with several; without names and numbers with decimals."""
    rows, values = [np.zeros(0, dtype=np.int64)], []
    for name in table.columns[1:]:
        column = table[name]
        if name == "name" or pd.api.types.is_float_dtype(column):
            continue
        cells = column.dropna().astype(str)
        words = cells.str.split()
        several = words[words.str.len() > 1].explode()
        for texts in (cells, several):
            rows.append(table.index.get_indexer(texts.index))
            values.extend(f"{name}={text}" for text in texts)
    return np.concatenate(rows), values
