"""Files of requests, Parquet or CSV, read in parts."""

import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from omniretail.core.errors import DataError


def n_requests(source: Path) -> int | None:
    """How many there are; None of a CSV file, which would have to be read.

    Raises:
        FileNotFoundError: where there is no such file.
        DataError: where it is no Parquet file.
    """
    if not source.is_file():
        raise FileNotFoundError(f"input={source} is not there")
    return None if _is_csv(source) else _opened(source).metadata.num_rows


def read_requests(source: Path, rows: int, text_fields: Set[str]) -> Iterator[pd.DataFrame]:
    """Requests in parts of at most ``rows``, a column per field.

    A cell of a CSV file is text in ``text_fields``; elsewhere it is what it says as JSON (a number, a list, an object),
    or text. An empty cell has no value.

    Raises:
        DataError: where the file cannot be read.
    """
    if not _is_csv(source):
        with _opened(source) as file:
            yield from map(_from_parquet, file.iter_batches(batch_size=rows))
        return
    try:
        with pd.read_csv(source, dtype=str, keep_default_na=False, chunksize=rows) as chunks:
            for chunk in chunks:
                yield pd.DataFrame({str(name): _cells(chunk[name], str(name) in text_fields) for name in chunk})
    except (ValueError, UnicodeDecodeError) as error:  # pandas' own errors among them
        raise DataError(f"input={source} cannot be read as CSV: {str(error).splitlines()[0]}") from None


def _is_csv(source: Path) -> bool:
    return source.suffix.lower() == ".csv"


def _opened(source: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source)
    except pa.ArrowInvalid:
        raise DataError(f"input={source} is no Parquet file; one whose name ends in .csv is read as CSV") from None


def _cells(column: pd.Series, is_text: bool) -> pd.Series:
    return pd.Series([None if not cell else cell if is_text else _value(cell) for cell in column], dtype=object)


def _value(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def _from_parquet(batch: pa.RecordBatch) -> pd.DataFrame:
    """Plain columns as pandas has them; nested ones as lists and dicts without missing fields."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        nested = pa.types.is_nested(column.type)
        columns[name] = pd.Series(map(_present, column.to_pylist()), dtype=object) if nested else column.to_pandas()
    return pd.DataFrame(columns)


def _present(value: object) -> object:
    """A nested value without the fields that are null."""
    if isinstance(value, dict):
        return {name: _present(each) for name, each in value.items() if each is not None}
    return [_present(each) for each in value] if isinstance(value, list) else value
