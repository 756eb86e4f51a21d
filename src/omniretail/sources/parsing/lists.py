"""Cells that hold lists: refused, or exploded into one row per value."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
from ibis import _

from omniretail.core.overrides import override
from omniretail.schema import DataError

_VALUE = r"""("[^"]*"|'[^']*'|[\w.-]+)"""
_LIST = re.compile(rf"^\s*\[\s*({_VALUE}(\s*,\s*{_VALUE})*)?\s*\]\s*$")
_SAMPLE = 1_000


def single_values(
    table: ibis.Table, path: Path, names: Mapping[str, str], explode: Sequence[str], separator: str | None
) -> ibis.Table:
    """A table in which every cell of the mapped columns has one value.

    Args:
        table: from ``read_text``.
        path: for the message.
        names: canonical name -> column.
        explode: canonical names of the columns whose lists become rows; those of a row must be equally long.
        separator: between the values of lists in text; None: lists are ``[a, b]``.

    Raises:
        DataError: for a column of lists that is not to be exploded, or a name that is no column.
    """
    if unknown := [name for name in explode if name not in names]:
        raise DataError(f"source.explode={unknown[0]}: choose among {', '.join(names)}")
    sample = table.select(*dict.fromkeys(names.values())).limit(_SAMPLE).to_pyarrow().to_pydict()
    lists = [name for name, column in names.items() if name not in explode and _are_lists(sample[column])]
    if lists:
        way_out = override("source.explode", [*explode, *lists])
        raise DataError(f"{path}, column '{names[lists[0]]}' holds lists: for a row per value set {way_out}")
    if not explode:
        return _without_lists(table)
    columns = {names[name]: _values(table[names[name]], separator) for name in explode}
    return _without_lists(table.mutate(**columns).mutate(**{name: _[name].unnest() for name in columns}))


def _are_lists(cells: Sequence[Any]) -> bool:
    """Whether most cells are lists, or texts that are lists of several values or of quoted ones."""
    present = [cell for cell in cells if cell is not None]
    several = [
        not isinstance(cell, str) or (_LIST.match(cell) and re.search(r"[,\"']|\[\s*\]", cell)) for cell in present
    ]
    return 2 * sum(map(bool, several)) > len(present)


def _values(column: Any, separator: str | None) -> Any:
    """Lists of text; an empty one holds a null, so that its row can be counted."""
    if not isinstance(column.type(), dt.Array):
        inside = column.re_replace(r"^\s*\[", "").re_replace(r"\]\s*$", "") if separator is None else column
        column = inside.split("," if separator is None else separator)
    trimmed = column.cast("array<string>").map(lambda value: value.strip().re_replace(r"""^["'](.*)["']$""", r"\1"))
    present = trimmed.filter(lambda value: value != "")
    return (present.length() > 0).ifelse(present, ibis.array([ibis.null(str)]))


def _without_lists(table: ibis.Table) -> ibis.Table:
    """The table with the lists of columns that nobody maps as text."""
    lists = [name for name, dtype in table.schema().items() if isinstance(dtype, dt.Array)]
    return table.mutate(**{name: _[name].cast("string") for name in lists}) if lists else table
