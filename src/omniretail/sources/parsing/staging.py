"""One scan of a file: its rows, parsed and with all that checks need, as a temporary Parquet file."""

import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import numpy as np
from ibis import _
from ibis.backends.duckdb import Backend

from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.typed_cells import Cell, refuse

FILE_ROW = "file_row"
_HASH, _FILLED, _WHOLE = "_hash", "_filled_", "_whole_"


@ibis.udf.scalar.builtin(name="hash", signature=(("array<string>",), "uint64"))
def _hash(cells: Any) -> Any: ...


def parsed(
    connection: ibis.BaseBackend, table: ibis.Table, path: Path, columns: Mapping[str, Any], cells: Mapping[str, Cell]
) -> ibis.Table:
    """The file's rows under canonical names, in the file's order.

    Args:
        connection: to DuckDB.
        table: from ``read_text``.
        path: for messages.
        columns: canonical name -> expression.
        cells: those of them that can fail to be parsed.

    Returns:
        The columns, ``file_row`` (from 0), and a hash of the row for ``without_repeats``. Ids such as 17850.0 are 17850
        in columns where every id is so: integers beside missing values.

    Raises:
        DataError: where the file cannot be read, or a cell cannot be parsed; naming row and column.
    """
    assert isinstance(connection, Backend)
    flags = {_FILLED + name: _[cell.column].notnull() for name, cell in cells.items()}
    everything = _hash(ibis.array([table[name].cast("string") for name in table.columns]))
    target = Path(tempfile.mkdtemp(prefix="omniretail-")) / "rows.parquet"
    with plain_errors(path):
        connection.to_parquet(
            table.select(**columns, **flags, **{_HASH: everything}), target, compression="uncompressed"
        )
    rows: Any = connection.read_parquet(target, file_row_number=True)
    weakref.finalize(rows.op(), _remove, target)
    counts = _checked(rows, list(cells))
    for name, cell in cells.items():
        if counts[name]:
            refuse(table, path, cell, counts[name])
    rows = rows.drop(*flags).rename({FILE_ROW: "file_row_number"})
    return _with_whole_ids(rows, [name for name in _text_ids(rows) if counts[_WHOLE + name]])


def _checked(rows: ibis.Table, cells: Sequence[str]) -> dict[str, Any]:
    """All checks in one scan: bad cells of each column, and whether each id could be a whole number with a decimal."""
    checks: dict[str, Any] = {name: (_[_FILLED + name] & _[name].isnull()).sum().fill_null(0) for name in cells}
    checks |= {_WHOLE + name: _[name].endswith(".0").all().fill_null(False) for name in _text_ids(rows)}
    return rows.agg(**checks).to_pyarrow().to_pylist()[0] if checks else {}


def _text_ids(rows: ibis.Table) -> list[str]:
    return [name for name in rows.columns if name.endswith("_id") and rows[name].type().is_string()]


def without_repeats(rows: ibis.Table, drop: bool = True) -> tuple[ibis.Table, dict[str, int]]:
    """Drop rows of ``parsed`` that repeat an earlier one in every column of the file, and count them; or drop none."""
    if not drop:
        return rows.drop(_HASH), {}
    hashes = np.sort(rows.select(_HASH).to_pyarrow()[_HASH].to_numpy())
    if not (hashes[1:] == hashes[:-1]).any():
        return rows.drop(_HASH), {"exact duplicate": 0}
    repeated: Any = rows.group_by(_HASH).agg(first=_.file_row.min(), n=_.count()).filter(_.n > 1)
    n_repeats = int(repeated.agg(n=(repeated.n - 1).sum().fill_null(0)).to_pyarrow()["n"][0].as_py())
    later = rows.select(_HASH, FILE_ROW).inner_join(repeated, _HASH).filter(_.file_row > _["first"])
    return rows.anti_join(later.select(FILE_ROW), FILE_ROW).drop(_HASH), {"exact duplicate": n_repeats}


def _with_whole_ids(table: ibis.Table, ids: Sequence[str]) -> ibis.Table:
    """The table without the decimal of ids, in those of some columns that are whole numbers throughout."""
    if not ids:
        return table
    texts: dict[str, Any] = {name: table[name] for name in ids}
    whole = table.agg(**{name: text.re_search(r"^-?\d+\.0$").fill_null(True).all() for name, text in texts.items()})
    floats = [name for name, all_whole in whole.to_pyarrow().to_pylist()[0].items() if all_whole]
    return table.mutate(**{name: _[name].re_replace(r"\.0$", "") for name in floats}) if floats else table


def _remove(target: Path) -> None:
    target.unlink(missing_ok=True)
    target.parent.rmdir()
