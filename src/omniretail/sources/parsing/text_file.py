"""A file of one's own, opened with every cell as text, so that errors can name row and column."""

import glob
import re
import tempfile
import weakref
from collections.abc import Collection
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
from ibis.backends.duckdb import Backend

from omniretail.sources.parsing.containers import read_arrow, read_json, read_workbook, unzipped
from omniretail.sources.parsing.delimited import null_where, read_delimited
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
        return _opened(connection, path, path, layout)


def _opened(connection: Backend, path: Path, named: Path, layout: Layout) -> ibis.Table:
    """The table of a file as text; ``named`` is the path for messages."""
    match kind_of(path):
        case "folder":
            table = connection.read_parquet(
                [glob.escape(str(part)) for part in parts_of_folder(path)], union_by_name=True, binary_as_string=True
            )
        case "parquet":
            table = connection.read_parquet(glob.escape(str(path)), binary_as_string=True)
        case "arrow" | "arrow stream" as kind:
            table = read_arrow(path, stream=kind != "arrow")
        case "workbook":
            table = read_workbook(path, layout.sheet, list(layout.header))
        case "json":
            table = read_json(connection, path)
        case "zip":
            copy = _temporary(path)
            copy = unzipped(path, copy)
            return _forgotten_with(_opened(connection, copy, path, layout), copy)
        case _:
            return _without_blanks(_delimited(connection, path, named, layout), layout.missing)
    texts = table.select(**{name: _as_text(table[name]) for name in table.columns})
    return _without_blanks(null_where(texts, layout.missing), layout.missing)


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


def _as_text(column: Any) -> Any:
    dtype = column.type()
    if isinstance(dtype, dt.Array):
        return column
    text = column.cast("string")
    if dtype.is_floating():
        whole = (column == column.floor()) & (column.abs() < 1e18)
        return whole.ifelse(column.try_cast("int64").cast("string"), text)
    return text.re_replace(r"\.0+$", "") if dtype.is_decimal() else text


def _without_blanks(table: ibis.Table, missing: Collection[str]) -> ibis.Table:
    """Null where a cell has blanks alone, or blanks around a value that stands for an empty cell."""
    pattern = rf"^\s*({'|'.join(re.escape(each) for each in missing or [''])})\s*$"
    cells = {}
    for name in table.columns:
        text: Any = table[name]
        if text.type().is_string():
            padded = (text < "!") | text.endswith(" ")  # blanks, tabs and line ends come before "!"
            empty = text.re_search(pattern).ifelse(ibis.null(str), text)  # slow: only for the few cells that need it
            cells[name] = padded.ifelse(empty, text)
    return table.mutate(**cells)
