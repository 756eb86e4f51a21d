"""Attributes as words: what a table says of each row, for models that add up the meanings of words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class AttributeValues:
    """A fixed set of words, in ascending order, such as ``category=BREAD``.

    Attributes:
        words: shape (F,).
    """

    words: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame) -> "AttributeValues":
        """Every word of a table whose first column is the id."""
        return cls(np.unique(np.array(_pairs(table)[1], dtype=np.str_)))

    def encode(self, table: pd.DataFrame) -> sparse.csr_array:
        """One where a row has the word; unknown words are left out. float32, shape (N, F)."""
        row, word = _pairs(table)
        column = pd.Index(self.words).get_indexer(pd.Index(word, dtype=object))
        known = column >= 0
        ones = np.ones(known.sum(), dtype=np.float32)
        matrix = sparse.csr_array((ones, (row[known], column[known])), shape=(len(table), len(self.words)))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix


def _pairs(table: pd.DataFrame) -> tuple[np.ndarray, Sequence[str]]:
    """Rows and words: each value whole and, where it has several, each of its parts; no names, no measures."""
    rows, words = [np.zeros(0, dtype=np.int64)], []
    for name in table.columns[1:]:
        column = table[name]
        if name == "name" or pd.api.types.is_float_dtype(column):
            continue
        said = column.dropna().astype(str)
        parts = said.str.split()
        several = parts[parts.str.len() > 1].explode()
        for values in (said, several):
            rows.append(table.index.get_indexer(values.index))
            words.extend(f"{name}={value}" for value in values)
    return np.concatenate(rows), words
