"""Data frames as canonical tables, read like a file of your own."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.cache import cached, digest
from omniretail.schema import Tables
from omniretail.sources.csv import CSV
from omniretail.sources.own_tables import OWN_TABLES
from omniretail.sources.protocol import load


def tables_of_frames(events: Any, columns: Mapping[str, str], cache: Path, **others: Any) -> Tables:
    """Canonical tables; rows that cannot be used are dropped and counted, as in a CSV file.

    Args:
        events: a frame of pandas, polars or Arrow.
        columns: canonical name -> column of ``events``.
        cache: folder for the frames as Parquet.
        others: further tables as frames, by their canonical names, and fields of ``CSV``.

    Raises:
        DataError: where a column is missing, or a cell is no time or no number.
        TypeError: where something is no frame, or a setting is unknown.
    """
    frames = {name: as_pandas(others.pop(name)) for name in list(others) if name in OWN_TABLES}
    settings = {"title": "data frame", **others}
    log = _written(as_pandas(events), cache)
    paths = {f"{name}_path": _written(frame, cache) for name, frame in frames.items()}
    return load(CSV(path=log, columns=columns, **paths, **settings), cache)


def as_pandas(frame: Any) -> pd.DataFrame:
    """A frame of pandas, polars or Arrow as pandas.

    Raises:
        TypeError: where it is no frame.
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    if not hasattr(frame, "to_pandas"):
        raise TypeError(f"expected a data frame of pandas, polars or Arrow, not {type(frame).__name__}")
    return frame.to_pandas()


def _written(frame: pd.DataFrame, cache: Path) -> Path:
    """The frame as Parquet; integer ids that a missing value turned into floats are integers again."""
    typed = frame.copy()
    for name in typed.select_dtypes("float"):
        values = typed[name].dropna()
        if str(name).lower().endswith("id") and bool(np.all(values == values.round())):
            typed[name] = typed[name].astype("Int64")
    folder = cached(
        cache / "frames", _content(typed), lambda empty: typed.to_parquet(empty / "frame.parquet", index=False)
    )
    return folder / "frame.parquet"


def _content(frame: pd.DataFrame) -> str:
    """Hash of the columns' names and of the rows in their order."""
    return digest(hashlib.sha256(frame.astype(str).to_csv(index=False).encode()).hexdigest())
