"""A shop's own tables beside its log: users, items, stores, their stock and hours, offers; attributes typed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.core.engine import count
from omniretail.schema import DataError
from omniretail.sources.parsing.column_names import mapped
from omniretail.sources.parsing.layout import Layout
from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.staging import parsed, without_repeats
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.parsing.time_cells import time
from omniretail.sources.parsing.typed_cells import Cell, number

OWN_TABLES = {
    "users": ("user_id",),
    "items": ("item_id", "name", "category"),
    "stores": ("store_id",),
    "stock": ("store_id", "item_id", "quantity"),
    "hours": ("store_id", "weekday", "opens", "closes"),
    "offers": ("offer_id", "start", "end", "channel", "kind", "discount"),
    "offer_items": ("offer_id", "item_id"),
    "offer_events": ("user_id", "offer_id", "timestamp", "event_type", "store_id"),
}
"""Canonical columns of each table, those of its key first; all other columns are attributes under their own names."""
_REQUIRED = {
    "stock": ("store_id", "item_id", "quantity"),
    "hours": ("store_id", "weekday", "opens", "closes"),
    "offers": ("offer_id", "start", "end"),
    "offer_items": ("offer_id", "item_id"),
    "offer_events": ("user_id", "offer_id", "timestamp", "event_type"),
}
_CONSTANTS = {"offers": {"channel": "online", "kind": "offer"}}
_TIMES, _NUMBERS = {"start", "end", "timestamp"}, {"discount", "quantity", "weekday"}
_INTEGER, _NUMBER = r"^-?(0|[1-9]\d{0,17})$", r"^-?(0|[1-9]\d*)(\.\d+)?$"  # 007 is no number
_ONE_ROW_EACH = ("users", "items", "stores", "offers")


def own_table(
    connection: ibis.BaseBackend,
    name: str,
    path: Path,
    columns: Mapping[str, str | None],
    layout: Layout,
    decimal: str = ".",
    timezone: str = "UTC",
) -> ibis.Table:
    """A canonical table from a file; rows that lack a part of the key and exact repeats are left out.

    Attributes whose cells are all numbers become numbers; missing values stay missing.

    Args:
        connection: to DuckDB.
        name: one of ``OWN_TABLES``.
        path: of the file.
        columns: canonical name -> name in the file.
        layout: how the file is written.
        decimal: ``.`` or ``,``.
        timezone: of times without an offset.

    Raises:
        DataError: where a column is missing, a cell is no time or no number, or a key has rows that differ.
    """
    canonical, required = OWN_TABLES[name], _REQUIRED.get(name, OWN_TABLES[name][:1])
    setting = f"source.{name.removesuffix('s')}_columns"
    table = read_text(connection, path, layout)
    names = mapped(table, path, columns, setting, canonical, required)
    cells: dict[str, Cell] = {each: time(names[each], None, timezone) for each in _TIMES & set(names)}
    cells |= {each: number(names[each], decimal) for each in _NUMBERS & set(names)}
    attributes = [each for each in table.columns if each not in names.values() and each not in canonical]
    texts: dict[str, Any] = {each: _[column] for each, column in (names | {a: a for a in attributes}).items()}
    typed: dict[str, Any] = texts | {each: cell.value for each, cell in cells.items()}
    for each, constant in _CONSTANTS.get(name, {}).items():
        typed[each] = typed[each].fill_null(constant) if each in typed else ibis.literal(constant)
    with plain_errors(path):
        rows, _drops = without_repeats(parsed(connection, table, path, typed, cells))
        rows = rows.filter(*[_[each].notnull() for each in required]).drop("file_row")
        rows = with_numbers(rows, attributes, decimal)
        if name in _ONE_ROW_EACH:
            _check_unique(rows, path, canonical[0])
    return rows


def with_numbers(rows: ibis.Table, attributes: Sequence[str], decimal: str = ".") -> ibis.Table:
    """Attributes whose cells are all numbers as numbers.

    Args:
        rows: with all attributes as text.
        attributes: columns; ids among them stay text.
        decimal: ``.`` or ``,``.
    """
    attributes = [each for each in attributes if not each.endswith("_id")]
    if not attributes:
        return rows
    number = _NUMBER if decimal == "." else _NUMBER.replace(r"\.", ",")
    checks = {}
    for each in attributes:
        text: Any = rows[each]
        some = text.notnull().any()
        checks |= {f"i {each}": some & text.re_search(_INTEGER).fill_null(True).all()}
        checks |= {f"n {each}": some & text.re_search(number).fill_null(True).all()}
    holds = rows.agg(**checks).to_pyarrow().to_pylist()[0]
    types = {e: "int64" if holds[f"i {e}"] else "float64" for e in attributes if holds[f"n {e}"]}
    points = {each: _[each].replace(decimal, ".") for each in types}
    return rows.mutate(**points).cast(types) if types else rows


def _check_unique(rows: ibis.Table, path: Path, key: str) -> None:
    if count(rows) == count(rows.select(key).distinct()):
        return
    repeated = rows.group_by(key).agg(rows=_.count()).filter(_.rows > 1).order_by(key)
    first = repeated.limit(1).to_pyarrow().to_pylist()[0]
    what = key.removesuffix("_id")
    raise DataError(f"{path}: {what} '{first[key]}' has {first['rows']} rows that differ; keep one row per {what}")
