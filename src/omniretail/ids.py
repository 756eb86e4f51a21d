"""Vocabulary: raw ids <-> 0..n-1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Vocabulary:
    """A fixed set of raw ids in ascending order, with indices from 0.

    It is built from training events alone, so an id first seen after the cutoff is unknown (-1).

    >>> items = Vocabulary.of(["tea", "milk", "tea"])
    >>> items.encode(["milk", "coffee"])
    array([ 0, -1], dtype=int32)
    >>> list(items.decode([1, 0]))
    ['tea', 'milk']
    """

    ids: pd.Index

    @classmethod
    def of(cls, raw: Sequence | np.ndarray | pd.Series) -> "Vocabulary":
        """Every distinct id of ``raw``."""
        return cls(pd.Index(pd.unique(pd.Series(raw))).sort_values())

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, raw: Sequence | np.ndarray | pd.Series) -> np.ndarray:
        """Raw ids to indices, -1 where unknown; int32, of the same shape."""
        return self.ids.get_indexer(pd.Index(raw)).astype(np.int32)

    def decode(self, idx: Sequence[int] | np.ndarray) -> np.ndarray:
        """Indices to raw ids; of the same shape."""
        return np.asarray(self.ids)[np.asarray(idx)]
