"""Files that are no text: Arrow, JSON lines, workbooks, zip archives."""

import glob
import shutil
import zipfile
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend
from pyarrow import feather

from omniretail.schema import DataError

_SAMPLE = 1_000


@ibis.udf.scalar.builtin(signature=(("json",), "string"))
def json_type(value: Any) -> Any:
    """The type of a JSON value, such as ARRAY."""


@ibis.udf.scalar.builtin(signature=(("json", "string"), "string"))
def json_extract_string(value: Any, path: Any) -> Any:
    """A JSON value as text; null where it is null."""


@ibis.udf.scalar.builtin(signature=(("json", "string"), "array<string>"))
def from_json(value: Any, structure: Any) -> Any:
    """A JSON list as a list of text."""


def read_arrow(path: Path, stream: bool) -> ibis.Table:
    """An Arrow or Feather file, or a stream of Arrow record batches.

    Raises:
        DataError: where it is broken.
    """
    try:
        if not stream:
            return ibis.memtable(feather.read_table(path, memory_map=True))
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as batches:
            return ibis.memtable(batches.read_all())
    except pa.ArrowException as error:
        raise DataError(f"{path} is a broken Arrow file ({str(error).splitlines()[0]}); write it again") from None


def read_json(connection: Backend, path: Path) -> ibis.Table:
    """One object per line, or an array of objects: plain values as their text, lists as lists of text."""
    documents: Any = connection.read_json(glob.escape(str(path)), maximum_depth=1)
    types = {name: json_type(documents[name].cast("json")) for name in documents.columns}
    kinds = documents.limit(_SAMPLE).select(**types)
    (kind,) = kinds.agg(**{name: kinds[name].max() for name in types}).to_pyarrow().to_pylist()
    return documents.select(**{name: _json_value(documents[name].cast("json"), kind[name]) for name in kind})


def _json_value(column: Any, kind: str | None) -> Any:
    if kind == "ARRAY":
        return from_json(column, '["VARCHAR"]')
    text: Any = json_extract_string(column, "$")
    return text.re_replace(r"\.0+$", "") if kind == "DOUBLE" else text


def read_workbook(path: Path, sheet: str | None, header: list[str]) -> ibis.Table:
    """A sheet of an Excel workbook, all cells as text.

    Args:
        path: of an .xlsx file.
        sheet: its name; None: the first one.
        header: names of the columns where the sheet has no row of names; else empty.

    Raises:
        DataError: where there is no such sheet, or the library is missing.
    """
    import pandas as pd  # here, as openpyxl is slow to import

    try:
        cells = pd.read_excel(path, sheet_name=sheet or 0, header=None, dtype=object, engine="openpyxl")
    except ValueError as error:
        raise DataError(f"{path}: {error}; set source.sheet to the name of one of its sheets") from None
    except ImportError:
        raise DataError(f"{path} is a workbook, which needs openpyxl: pip install openpyxl") from None
    except (KeyError, zipfile.BadZipFile, SyntaxError) as error:
        raise DataError(f"{path} is a broken workbook ({error}); save it again, or as CSV") from None
    names, first = (header, 0) if header else _names(cells)
    frame = cells.iloc[first:].dropna(how="all")
    if frame.empty:
        raise DataError(f"{path} is empty: it needs a header and at least one row below it")
    named = zip(names, frame, strict=False)
    return ibis.memtable(
        pa.table({name: pa.array([_cell(value) for value in frame[column]], pa.string()) for name, column in named})
    )


def _names(cells: Any) -> tuple[list[str], int]:
    """Names of the columns, below titles and blank rows, and the number of the row after them."""
    filled = cells.notna().sum(axis=1)
    place = int((filled * 2 >= filled.max()).to_numpy().argmax()) if len(cells) else 0
    row = cells.iloc[place].tolist() if len(cells) else []
    names = [str(value).strip() if value == value else f"column{n}" for n, value in enumerate(row, start=1)]
    return [f"{name}.{names[:n].count(name)}" if name in names[:n] else name for n, name in enumerate(names)], place + 1


def _cell(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def unzipped(path: Path, copy: Path) -> Path:
    """Unpack the only file of a zip archive beside ``copy``, under its own name.

    Raises:
        DataError: where it has several files, is locked by a password or broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
            if len(members) != 1:
                listed = ", ".join(member.filename for member in members[:5]) or "none"
                raise DataError(f"{path} holds {len(members)} files ({listed}): unpack it and set source.path to one")
            target = copy.with_name(Path(members[0].filename).name)
            with archive.open(members[0]) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
            return target
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise DataError(f"{path} cannot be unpacked ({error}); unpack it by hand") from None
