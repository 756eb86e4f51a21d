"""Cells of text as numbers and times, and the first cell that is neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.core.timezones import instant_to_utc, make_timestamp, to_utc, try_strptime
from omniretail.schema import DataError
from omniretail.sources.parsing.text_file import plain_errors

# The engine's casts accept too much: "nan" and "1_000" as numbers, and "3:04 PM" as 3:04.
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_DATE, _TIME, _OFFSET = (
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}",
    r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?",
    r"(Z|[+-]\d{2}(:?\d{2})?)",
)


@dataclass(frozen=True)
class Cell:
    """How the text of one column is parsed.

    Attributes:
        column: its name in the file.
        value: the typed expression; null where the text cannot be parsed.
        kind: what the text should be, for people.
    """

    column: str
    value: Any
    kind: str


def number(column: str) -> Cell:
    """Decimal numbers with a point; no thousands separators, no currency signs."""
    text = _[column]
    value = text.re_search(_NUMBER).ifelse(text.try_cast("float64"), ibis.null("float64"))
    return Cell(column, value, "a number")


def time(column: str, format: str | None, zone: str) -> Cell:
    """Dates and times as UTC without a zone.

    Args:
        column: its name in the file.
        format: a strptime format; None accepts ISO 8601 (``2024-05-31``, ``2024-05-31 18:30``, ``…T18:30:00+08:00``),
            YYYYMMDD, and Unix time in seconds (10 digits) or milliseconds (13 digits).
        zone: IANA name of the zone that times without an offset are in.

    Raises:
        DataError: for a zone that does not exist.
    """
    text = _[column]
    if format is not None:
        return Cell(column, to_utc(try_strptime(text, format), zone), f"a time like {format}")
    digits = text.try_cast("int64")
    forms = {
        f"{_DATE}({_TIME})?": to_utc(text.try_cast("timestamp"), zone),
        f"{_DATE}{_TIME}{_OFFSET}": instant_to_utc(text.try_cast("timestamp('UTC')")),
        r"\d{8}": to_utc(try_strptime(text, "%Y%m%d"), zone),
        r"\d{10}": make_timestamp(digits * 1_000_000),
        r"\d{13}": make_timestamp(digits * 1_000),
    }
    value = ibis.cases(*((text.re_search(f"^{form}$"), value) for form, value in forms.items()))
    return Cell(
        column, value, "an ISO 8601 or Unix time; set source.timestamp_format, for instance to '%d/%m/%Y %H:%M'"
    )


def check_cells(table: ibis.Table, path: Path, cells: Mapping[str, Cell]) -> None:
    """Make sure that every cell that is not empty can be parsed.

    Args:
        table: from ``read_text``.
        path: for the message.
        cells: by canonical name.

    Raises:
        DataError: naming file, row (blank lines do not count), column, the text of the first bad cell, and the number
            of bad cells.
    """
    bad = {name: _bad(cell) for name, cell in cells.items()}
    with plain_errors(path):
        counts = table.agg(**{name: condition.sum().fill_null(0) for name, condition in bad.items()}).to_pyarrow()
    for name, n_bad in counts.to_pylist()[0].items():
        if n_bad:
            raise DataError(_first_bad(table, path, cells[name], n_bad))


def _bad(cell: Cell) -> Any:
    return _[cell.column].notnull() & cell.value.isnull()


def _first_bad(table: ibis.Table, path: Path, cell: Cell, n_bad: int) -> str:
    first_row = 1 if path.suffix.lower() == ".parquet" else 2  # the header is row 1
    numbered = table.select(row=ibis.row_number() + first_row, text=_[cell.column], bad=_bad(cell))
    first = numbered.filter(_.bad).order_by("row").limit(1).to_pyarrow().to_pylist()[0]
    return (
        f"{path}, row {first['row']:,}, column '{cell.column}': '{first['text']}' is not {cell.kind} ({n_bad:,} in all)"
    )
