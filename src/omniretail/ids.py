"""Vocabulary: raw ids <-> 0..n-1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_numeric_dtype


def of_type(raw: Sequence | np.ndarray | pd.Series, ids: pd.Index) -> pd.Index:
    """Raw ids in the type of other ids: the number 7 or 7.0 and the text "7" are one id.

    Text that is no whole number in its plain form ("007", "7.0") stays text, which no integer equals.

    >>> of_type([7.0, 8], pd.Index(["7"])).tolist()
    ['7', '8']
    >>> of_type(["7", "007"], pd.Index([7])).tolist()
    [7, '007']
    """
    values = pd.Index(raw)
    if is_numeric_dtype(ids.dtype) == is_numeric_dtype(values.dtype) and values.dtype != object:
        return values
    if infer_dtype(values) == "string" and not is_numeric_dtype(ids.dtype):
        return values
    if is_numeric_dtype(ids.dtype):
        return values if is_numeric_dtype(values.dtype) else pd.Index([_number(each) for each in values])
    return pd.Index([_text(each) for each in values], dtype=object)


def _number(raw: object) -> object:
    plain = isinstance(raw, str) and raw.lstrip("-").isdecimal() and str(int(raw)) == raw
    return int(str(raw)) if plain else raw


def _text(raw: object) -> object:
    if isinstance(raw, float | np.floating) and float(raw).is_integer():
        return str(int(raw))
    return str(raw) if isinstance(raw, int | np.integer) and not isinstance(raw, bool) else raw


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
        """Raw ids, of either type, to indices, -1 where unknown; int32, of the same shape."""
        return self.ids.get_indexer(of_type(raw, self.ids)).astype(np.int32)

    def decode(self, idx: Sequence[int] | np.ndarray) -> np.ndarray:
        """Indices to raw ids; of the same shape."""
        return np.asarray(self.ids)[np.asarray(idx)]
