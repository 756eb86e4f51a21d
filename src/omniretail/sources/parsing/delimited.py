"""Delimited text: with a row of names or without one, cells between characters, between blanks, or at fixed places."""

import csv
import glob
import io
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import ibis
from ibis import _
from ibis.backends.duckdb import Backend

from omniretail.schema import DataError
from omniretail.sources.parsing.encodings import opened
from omniretail.sources.parsing.layout import BLANKS, Layout, delimiter_override

_ENDINGS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
_COMPRESSIONS = (".gz", ".zst", ".zip")
_CANDIDATES = ("::", "\t", ";", "|", ",")
_SAMPLE_LINES, _LONGEST_NAME = 50, 300
_NO_DELIMITER = "\x1f"


@ibis.udf.scalar.builtin(name="error", signature=(("string",), "array<string>"))
def _error(message: Any) -> Any: ...


def read_delimited(connection: Backend, path: Path, named: Path, compression: str | None, layout: Layout) -> ibis.Table:
    """Open delimited text in UTF-8 with all columns as text; nothing is guessed about cells, so errors name the row.

    Args:
        connection: to DuckDB.
        path: the file.
        named: the path for messages.
        compression: of the file; None: none.
        layout: how the file is written.

    Raises:
        DataError: where the file is empty, has no usable header, or its delimiter is unclear.
    """
    lines = _first_lines(path, compression)
    if len(lines) < (1 if layout.header else 2):
        raise DataError(f"{named} is empty: it needs a header and at least one row below it")
    separator = layout.separator or (None if layout.widths else _by_ending(named, lines))
    if layout.widths or separator == BLANKS:
        return _cut_lines(connection, path, named, compression, layout, lines)
    assert separator is not None
    names = _names(named, layout.header or next(iter(_cells(lines, separator)), []))
    return connection.read_csv(
        glob.escape(str(path)),  # else a bracket or a star in the name is a pattern
        columns=dict.fromkeys(names, "VARCHAR"),
        delim=separator,
        quote='"',
        escape='"',
        header=not layout.header,
        compression=compression or "none",
        nullstr=list(layout.missing) or [""],  # in the scan itself; cells with blanks around are left
    )


def delimiter_of(lines: Sequence[str]) -> str | None:
    """The only delimiter that occurs, and equally often, in each of some lines; None where that is unclear.

    >>> delimiter_of(["1::31::2.5", "1::1029::3"])
    '::'
    """
    counts = {each: {line.count(each) for line in lines} for each in _CANDIDATES}
    regular = [each for each, numbers in counts.items() if len(numbers) == 1 and 0 not in numbers]
    padded = regular == ["\t"] and any(" \t" in line or "\t " in line for line in lines)
    if (padded or not regular) and len({len(line.split()) for line in lines}) == 1 and len(lines[0].split()) > 1:
        return BLANKS
    return regular[0] if len(regular) == 1 else None


def _by_ending(path: Path, lines: Sequence[str]) -> str:
    ending = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in _COMPRESSIONS), "")
    delimiter = _ENDINGS.get(ending) or delimiter_of(lines)
    if delimiter is None:
        known = ", ".join([*_ENDINGS, ".parquet, …"])
        raise DataError(
            f"{path}: the name has no known ending ({known}) and the lines do not show their delimiter; "
            f"set {delimiter_override(',')} or another"
        )
    return delimiter


def _first_lines(path: Path, compression: str | None) -> list[str]:
    with opened(path, compression) as raw, io.TextIOWrapper(raw, "utf-8-sig", "replace", newline="") as text:
        return list(islice((line for line in text if line.strip()), _SAMPLE_LINES))


def _cells(lines: Iterable[str], separator: str) -> Iterable[list[str]]:
    if len(separator) == 1:
        return csv.reader(lines, delimiter=separator)
    return (line.rstrip("\r\n").split(separator) for line in lines)


def _names(path: Path, header: Sequence[str]) -> list[str]:
    names = [str(name) or f"column{position}" for position, name in enumerate(header, start=1)]
    if broken := [name for name in names if len(name.splitlines()) > 1 or len(name) > _LONGEST_NAME]:
        start = " ".join(broken[0][:_LONGEST_NAME].split())[:40]
        raise DataError(f"{path}, row 1: the name of a column goes on after '{start}'; is a quote (\") out of place?")
    name, times = Counter(name.casefold() for name in names).most_common(1)[0]
    if times > 1:
        raise DataError(f"{path}, row 1: {times} columns are called '{name}' (case aside); rename all but one")
    return names


def _cut_lines(
    connection: Backend, path: Path, named: Path, compression: str | None, layout: Layout, lines: Sequence[str]
) -> ibis.Table:
    """Lines of cells between blanks, or at fixed places."""
    names = _names(named, layout.header or _at_places(lines[0], layout.widths))
    rows = connection.read_csv(
        glob.escape(str(path)),
        columns={"line": "VARCHAR"},
        delim=_NO_DELIMITER,
        quote="",
        escape="",
        header=not layout.header,
        compression=compression or "none",
    )
    if layout.widths:
        starts = [sum(layout.widths[:place]) for place in range(len(names))]
        ends: list[int | None] = [*starts[1:], None]
        places = zip(names, starts, ends, strict=True)
        return null_where(
            rows.select(**{name: _.line[start:end].strip() for name, start, end in places}), layout.missing
        )
    cells: Any = _.line.strip().re_split(r"\s+")
    n = len(names)
    message = "cells: " + cells.length().cast("string") + f" instead of {n}: " + _.line.substr(0, 60)
    checked = rows.filter(_.line.strip() != "").select(cells=(cells.length() == n).ifelse(cells, _error(message)))
    return null_where(checked.select(**{name: _.cells[place] for place, name in enumerate(names)}), layout.missing)


def null_where(table: ibis.Table, values: Collection[str]) -> ibis.Table:
    """Null where a cell of text is one of the values."""
    texts: dict[str, Any] = {name: table[name] for name, dtype in table.schema().items() if dtype.is_string()}
    return table.mutate(**{name: text.isin(list(values)).ifelse(ibis.null(str), text) for name, text in texts.items()})


def _at_places(line: str, widths: Sequence[int]) -> list[str]:
    if not widths:
        return line.split()
    starts = [sum(widths[:place]) for place in range(len(widths))]
    return [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
