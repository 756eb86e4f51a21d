"""A user's file, opened with every cell as text, so that errors can name row and column."""

import csv
import difflib
import glob
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from ibis import _
from ibis.backends.duckdb import Backend

from omniretail.schema import DataError

MISSING = ("", "null", "NULL", "NaN", "nan", "None", r"\N")
"""Values that stand for an empty cell in exports of databases and of pandas."""

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
_COMPRESSIONS = (".gz", ".zst")
_PLAIN_ENGLISH = {
    r"Expected Number of Columns: (\d+) Found: (\d+)": "has {1} cells where the header has {0}",
    r"unterminated quote": 'has a quote (") out of place; double it inside a cell',
    r"not utf-8": "is not UTF-8; convert the file, for instance with iconv -f GB18030 -t UTF-8",
}


def read_text(
    connection: ibis.BaseBackend, path: Path, delimiter: str | None = None, missing: Collection[str] = MISSING
) -> ibis.Table:
    """Open CSV, TSV (optionally .gz or .zst) or Parquet without loading it into memory.

    Args:
        connection: to DuckDB.
        path: the file; the first row of a delimited one is its header.
        delimiter: between cells; None: by the ending of the file's name.
        missing: cells with one of these values, or only blanks, become null.

    Raises:
        DataError: where the file is empty, has no usable header, or has another format.
    """
    assert isinstance(connection, Backend)
    with plain_errors(path):
        if path.suffix.lower() == ".parquet":
            table = connection.read_parquet(glob.escape(str(path)))
        else:
            table = _read_delimited(connection, path, delimiter or _delimiter(path))
    values = "|".join(re.escape(value) for value in missing)
    texts = {name: _[name].cast("string") for name in table.columns}
    blank = {name: text.re_search(rf"^\s*({values})\s*$") for name, text in texts.items()}
    return table.select(**{name: blank[name].ifelse(ibis.null(str), text) for name, text in texts.items()})


def _delimiter(path: Path) -> str:
    ending = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in _COMPRESSIONS), "")
    if ending not in _DELIMITERS:
        known = ", ".join([*_DELIMITERS, ".parquet"])
        raise DataError(f"{path}: the name has no known ending ({known}); set source.delimiter, for instance to ','")
    return _DELIMITERS[ending]


def _read_delimited(connection: Backend, path: Path, delimiter: str) -> ibis.Table:
    return connection.read_csv(
        glob.escape(str(path)),  # else a bracket or a star in the name is a pattern
        columns=dict.fromkeys(_header(path, delimiter), "VARCHAR"),  # nothing is guessed, so errors name the row
        delim=delimiter,
        quote='"',
        escape='"',
        header=True,
    )


def _header(path: Path, delimiter: str) -> list[str]:
    with pa.input_stream(str(path)) as raw, io.TextIOWrapper(raw, "utf-8-sig", "replace", newline="") as text:
        names = next(csv.reader(text, delimiter=delimiter), [])
        if not any(text):
            raise DataError(f"{path} is empty: it needs a header and at least one row below it")
    names = [name or f"column{position}" for position, name in enumerate(names, start=1)]
    name, times = Counter(name.casefold() for name in names).most_common(1)[0]
    if times > 1:
        raise DataError(f"{path}, row 1: {times} columns are called '{name}' (case aside); rename all but one")
    return names


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into one sentence.

    Raises:
        DataError: naming the file and, where the engine names it, the row; the header is row 1.
    """
    try:
        yield
    except (duckdb.Error, OSError, csv.Error) as error:
        raise DataError(_plain_sentence(path, str(error))) from None


def _plain_sentence(path: Path, message: str) -> str:
    row = re.search(r"Error on Line: (\d+)", message)
    matches = ((text, re.search(pattern, message)) for pattern, text in _PLAIN_ENGLISH.items())
    sentence = next((text.format(*match.groups()) for text, match in matches if match), message.splitlines()[0])
    return f"{path}, row {row[1]}: {sentence}" if row else f"{path}: {sentence}"


def column_of(table: ibis.Table, path: Path, name: str, setting: str) -> str:
    """The name of a column, checked to be in the file.

    Args:
        table: from ``read_text``.
        path: for the message.
        name: of the column.
        setting: that names the column, such as ``source.columns.user_id``; for the message.

    Raises:
        DataError: with the nearest names in the file.
    """
    if name in table.columns:
        return name
    offered = difflib.get_close_matches(name, table.columns, n=3, cutoff=0.5) or table.columns
    other = re.search(r"[;\t|,]", table.columns[0]) if len(table.columns) == 1 else None
    way_out = f"set source.delimiter='{other[0]}'" if other else f"set {setting} to one of: {', '.join(offered)}"
    raise DataError(f"{path} has no column '{name}'; {way_out}")
