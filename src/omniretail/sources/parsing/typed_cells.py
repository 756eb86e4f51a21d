"""Cells of text as numbers and times, and the first cell that is neither."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import ibis
from ibis import _

from omniretail.core.overrides import override
from omniretail.schema import DataError
from omniretail.sources.parsing.layout import kind_of
from omniretail.sources.parsing.sentences import plain_errors

# The engine's casts accept too much: "nan" and "1_000" as numbers.
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_SAMPLE, _SHOWN = 1_000, 80
_CURRENCY = r"[$€£¥￥元]"
_GROUPED = r"^\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*$"
_CLEARLY_GROUPED = r"^\s*[+-]?\d{1,3}((,\d{3})+\.\d*|(,\d{3}){2,})\s*$"
_DECIMAL_COMMA = r"^\s*[+-]?(\d+|\d{1,3}([. ]\d{3})+)?(,\d*)?\s*$"


@dataclass(frozen=True)
class Cell:
    """How the text of one column is parsed.

    Attributes:
        column: its name in the file.
        value: the typed expression; null where the text cannot be parsed.
        kind: what the text should be, for people.
        hint: what to set where some texts cannot be parsed.
    """

    column: str
    value: Any
    kind: str
    hint: Callable[[Sequence[str]], str] = lambda texts: ""


def number(column: str, decimal: str = ".", thousands: str | None = None) -> Cell:
    """Decimal numbers, with or without the sign of a currency.

    Args:
        column: its name in the file.
        decimal: ``.``; or ``,``, where points or blanks may separate thousands.
        thousands: ``,`` where 1,234 is a thousand and more; None: only in numbers that can be nothing else, such as
            1,234.50 and 1,234,567.
    """
    text = _[column]
    bare = text.re_replace(rf"{_CURRENCY}\s*", "")
    if decimal == ",":
        plain = bare.re_replace("[. ]", "").replace(",", ".")
        value = bare.re_search(_DECIMAL_COMMA).ifelse(plain.try_cast("float64"), ibis.null("float64"))
        return Cell(column, value, "a number with a decimal comma")
    grouped = bare.re_search(_GROUPED if thousands else _CLEARLY_GROUPED)
    value = ibis.cases(
        (text.re_search(_NUMBER), text.try_cast("float64")),
        (bare.re_search(_NUMBER), bare.try_cast("float64")),
        (grouped, bare.replace(",", "").try_cast("float64")),
        else_=ibis.null("float64"),
    )
    return Cell(column, value, "a number", _with_comma)


def _with_comma(texts: Sequence[str]) -> str:
    comma = all(re.search(_DECIMAL_COMMA, text) and re.search(r",(\d{1,2}|\d{4,})$", text) for text in texts)
    if comma:
        return f"set {override('source.decimal', ',')}"
    grouped = all(re.search(_GROUPED, re.sub(_CURRENCY, "", text)) for text in texts)
    return (
        f"set {override('source.thousands', ',')}, or {override('source.decimal', ',')} where it is a decimal comma"
        if grouped
        else ""
    )


def check_cells(table: ibis.Table, path: Path, cells: Mapping[str, Cell]) -> None:
    """Make sure that every cell that is not empty can be parsed.

    Args:
        table: from ``read_text``.
        path: for the message.
        cells: by canonical name.

    Raises:
        DataError: see ``refuse``.
    """
    with plain_errors(path):
        counts = table.agg(**{name: bad(cell).sum().fill_null(0) for name, cell in cells.items()}).to_pyarrow()
    for name, n_bad in counts.to_pylist()[0].items():
        if n_bad:
            refuse(table, path, cells[name], n_bad)


def bad(cell: Cell) -> Any:
    """Whether a cell has a text that cannot be parsed."""
    return _[cell.column].notnull() & cell.value.isnull()


def refuse(table: ibis.Table, path: Path, cell: Cell, n_bad: int) -> NoReturn:
    """Say what is wrong with a column.

    Args:
        table: from ``read_text``.
        path: for the message.
        cell: how the column is parsed.
        n_bad: number of its bad cells.

    Raises:
        DataError: naming file, row (blank lines do not count), column, the text of the first bad cell, the number of
            bad cells, and what to set.
    """
    first_row = 2 if kind_of(path) == "text" else 1  # the header is row 1
    numbered = table.select(row=ibis.row_number() + first_row, text=_[cell.column].cast("string"), bad=bad(cell))
    wrong = numbered.filter(_.bad).order_by("row").limit(_SAMPLE).to_pyarrow().to_pylist()
    first, hint = wrong[0], cell.hint([each["text"] for each in wrong])
    text = first["text"] if len(first["text"]) <= _SHOWN else first["text"][:_SHOWN] + "…"
    place = f"{path}, row {first['row']:,}, column '{cell.column}'"
    sentence = " ".join(f"{place}: '{text}' is not {cell.kind} ({n_bad:,} in all){hint and '; '}{hint}".split())
    raise DataError(sentence)
