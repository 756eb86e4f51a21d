"""A file of one's own, opened with every cell as text, so that errors can name row and column."""

import glob
import tempfile
import weakref
from collections.abc import Collection
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
from ibis.backends.duckdb import Backend

from omniretail.sources.parsing.containers import read_arrow, read_json, read_workbook, unzipped
from omniretail.sources.parsing.delimited import read_delimited
from omniretail.sources.parsing.encodings import is_utf8, marked_encoding, write_utf8
from omniretail.sources.parsing.layout import Layout, compression_of, kind_of, parts_of_folder
from omniretail.sources.parsing.sentences import plain_errors


def read_text(connection: ibis.BaseBackend, path: Path, layout: Layout | None = None) -> ibis.Table:
    """Open delimited text, Parquet (a file or a folder of parts), Arrow, JSON lines or a workbook, zipped or not.

    Text and Parquet are not loaded into memory. Lists stay lists; all else becomes text, numbers that are whole without
    decimals, so that an id that a missing value turned into 17850.0 is 17850.

    Args:
        connection: to DuckDB.
        path: the file; delimited text may be compressed by gzip or Zstandard.
        layout: how the file is written; None: the file decides.

    Raises:
        DataError: where the file is empty, has no usable header, or has another format.
    """
    assert isinstance(connection, Backend)
    layout = layout or Layout()
    with plain_errors(path):
        table = _opened(connection, path, path, layout)
    return table.select(**{name: _as_text(table[name], layout.missing) for name in table.columns})


def _opened(connection: Backend, path: Path, named: Path, layout: Layout) -> ibis.Table:
    """The table of a file; ``named`` is the path for messages."""
    match kind_of(path):
        case "folder":
            return connection.read_parquet(
                [glob.escape(str(part)) for part in parts_of_folder(path)], union_by_name=True, binary_as_string=True
            )
        case "parquet":
            return connection.read_parquet(glob.escape(str(path)), binary_as_string=True)
        case "arrow" | "arrow stream" as kind:
            return read_arrow(path, stream=kind != "arrow")
        case "workbook":
            return read_workbook(path, layout.sheet, list(layout.header))
        case "json":
            return read_json(connection, path)
        case "zip":
            copy = _temporary(path)
            copy = unzipped(path, copy)
            return _forgotten_with(_opened(connection, copy, path, layout), copy)
        case _:
            return _delimited(connection, path, named, layout)


def _delimited(connection: Backend, path: Path, named: Path, layout: Layout) -> ibis.Table:
    compression = compression_of(path)
    encoding = marked_encoding(path, compression)
    if encoding == "utf-8" and layout.encoding and not is_utf8(path, compression):
        encoding = layout.encoding
    if encoding in ("utf-8", "utf-8-sig"):
        return read_delimited(connection, path, named, compression, layout)
    copy = _temporary(path)
    write_utf8(path, compression, encoding, copy)
    return _forgotten_with(read_delimited(connection, copy, named, None, layout), copy)


def _temporary(path: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="omniretail-")) / path.name


def _forgotten_with(table: ibis.Table, copy: Path) -> ibis.Table:
    """The table; its temporary copy is removed when nothing refers to it any more."""
    weakref.finalize(table.op(), _remove, copy)
    return table


def _remove(copy: Path) -> None:
    copy.unlink(missing_ok=True)
    copy.parent.rmdir()


def _as_text(column: Any, missing: Collection[str]) -> Any:
    dtype = column.type()
    if isinstance(dtype, dt.Array):
        return column
    text = column.cast("string")
    if dtype.is_floating():
        whole = (column == column.floor()) & (column.abs() < 1e18)
        text = whole.ifelse(column.try_cast("int64").cast("string"), text)
    elif dtype.is_decimal():
        text = text.re_replace(r"\.0+$", "")
    padded = (text < "!") | text.endswith(" ")  # blanks, tabs and line ends come before "!"
    values: Any = ibis.array(list(missing)) if missing else ibis.array([""])
    stripped = values.contains(text.strip()).ifelse(ibis.null(str), text)  # only for the few cells that need it
    return values.contains(text).ifelse(ibis.null(str), padded.ifelse(stripped, text))
