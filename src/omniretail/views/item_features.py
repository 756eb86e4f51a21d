"""Features of items for networks: categories as values, numbers, texts and vectors as dense columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from omniretail.core.errors import DataError
from omniretail.ids import Vocabulary
from omniretail.views.attribute_values import AttributeValues

_FEW = 50
"""Whole numbers of more distinct values than this are amounts, of fewer they are categories."""
_LONG_WORDS = 3
"""Texts of so many words on average are read as words, shorter ones as categories."""
_MOST_FEATURES = 20_000


@dataclass(frozen=True)
class ItemFeatures:
    """What is known of items beside their ids.

    Attributes:
        categories: 1 where an item has an attribute value; float32, shape (I, V).
        dense: numbers, texts and vectors, each column with mean 0 and deviation 1 over the items that have it, 0 where
            an item lacks it; float32, shape (I, F).
    """

    categories: sparse.csr_array
    dense: np.ndarray

    @classmethod
    def of(
        cls, table: pd.DataFrame, columns: Sequence[str], vectors: str | None = None, text_dim: int = 32
    ) -> "ItemFeatures":
        """The features of a table of items.

        Args:
            table: ``item_id`` first; I rows.
            columns: those that are read: categories, numbers, texts, or lists of numbers.
            vectors: Parquet file of ``item_id`` and ``vector``, such as a sentence encoder's; None: none.
            text_dim: of texts, which are read by TF-IDF and reduced by a truncated SVD.

        Raises:
            DataError: where the table lacks a column, or vectors differ in length or are not finite.
        """
        missing = [name for name in columns if name not in table]
        if missing:
            there = ", ".join(table.columns[1:]) or "none"
            raise DataError(f"model.item_features: the item table has no column {missing[0]!r}; it has {there}")
        read = {name: pd.Series(table[name]).reset_index(drop=True) for name in columns}
        kinds = {name: _kind(column) for name, column in read.items()}
        categories = {name: column.where(column.isna(), column.astype(str)) for name, column in read.items()}
        values = pd.DataFrame({"item_id": table.item_id.to_numpy(), **categories})
        values = values[["item_id", *(name for name in columns if kinds[name] == "category")]]
        parts = [_DENSE[kind](read[name], text_dim) for name, kind in kinds.items() if kind != "category"]
        if vectors is not None:
            parts.append(_numbers_of(_read_vectors(vectors, pd.Series(table.item_id))))
        dense = np.concatenate([np.zeros((len(table), 0)), *parts], axis=1)
        frame = pd.DataFrame(values)
        return cls(AttributeValues.of(frame).encode(frame), _standardised(dense))


def _kind(column: pd.Series) -> str:
    known = column.dropna()
    if len(known) and isinstance(known.iloc[0], list | tuple | np.ndarray):
        return "vector"
    if pd.api.types.is_bool_dtype(column):
        return "category"
    if pd.api.types.is_numeric_dtype(column):
        return "category" if pd.api.types.is_integer_dtype(column) and known.nunique() <= _FEW else "number"
    words = known.astype(str).str.split().str.len()
    return "text" if len(known) and words.mean() >= _LONG_WORDS else "category"


def _number(column: pd.Series, text_dim: int) -> np.ndarray:
    return column.astype("float64").to_numpy()[:, None]


def _text(column: pd.Series, text_dim: int) -> np.ndarray:
    """Texts in few dimensions; an item without text has none of its words, which is zero."""
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=_MOST_FEATURES)
    texts = column.fillna("").astype(str)
    try:
        counts = words.fit_transform(texts)
    except ValueError:  # no word occurs twice
        return np.zeros((len(column), 0))
    width = min(text_dim, counts.shape[1] - 1, len(column) - 1)
    if width < 1:
        return np.zeros((len(column), 0))
    reduced = TruncatedSVD(width, random_state=0).fit_transform(counts)
    return np.where((texts.str.len() > 0).to_numpy()[:, None], reduced, np.nan)


def _vector(column: pd.Series, text_dim: int) -> np.ndarray:
    return _numbers_of(column)


_DENSE = {"number": _number, "text": _text, "vector": _vector}


def _numbers_of(column: pd.Series) -> np.ndarray:
    """Lists of numbers as rows, NaN throughout where an item has none.

    Raises:
        DataError: where lengths differ, or a number is not finite.
    """
    has = column.notna().to_numpy()
    vectors = [np.asarray(each, dtype=np.float64) for each in column[has]]
    lengths = np.array([len(each) for each in vectors], dtype=np.int64)
    expected = int(np.bincount(lengths).argmax()) if len(lengths) else 0
    place = np.flatnonzero(has)
    for row in place[lengths != expected][:1]:
        raise DataError(
            f"item vectors have different lengths: {expected} numbers, but {len(column.iloc[row])} in row {row} of "
            f"{column.name}; write vectors of one encoder"
        )
    rows = np.full((len(column), expected), np.nan)
    if len(vectors):
        rows[has] = np.stack(vectors)
    for row in place[~np.isfinite(rows[has]).all(axis=1)][:1]:
        raise DataError(f"{column.name} of row {row} holds NaN or infinity; leave items without a vector out")
    return rows


def _read_vectors(path: str, ids: pd.Series) -> pd.Series:
    """The vector of each item, missing where the file has none.

    Raises:
        DataError: where the file is not there, has other columns, or none of the items.
    """
    file = Path(path).expanduser()
    try:
        table = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise DataError(
            f"model.item_vectors={path}: not a Parquet file that can be read ({type(error).__name__})"
        ) from None
    if not {"item_id", "vector"} <= set(table):
        raise DataError(f"model.item_vectors={path}: needs columns item_id and vector; it has {', '.join(table)}")
    if table.item_id.duplicated().any():
        raise DataError(f"model.item_vectors={path}: an item has two vectors; keep one")
    place = Vocabulary(pd.Index(table.item_id)).encode(ids)
    if (place < 0).all():
        raise DataError(f"model.item_vectors={path}: none of its ids is an item of the data")
    ours: Any = table.vector.iloc[np.maximum(place, 0)].where(place >= 0)
    return ours.set_axis(range(len(ids)))


def _standardised(dense: np.ndarray) -> np.ndarray:
    known = np.isfinite(dense)
    n = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, dense, 0.0)
    mean = filled.sum(axis=0) / n
    centred = np.where(known, dense - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / n)
    return (centred / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)
