"""A log of your own: CSV, TSV or Parquet, one row per item and occasion, columns mapped by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
from ibis import Deferred, _

from omniretail.core.engine import count
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.drop_counting import count_drops, count_duplicates
from omniretail.sources.parsing.text_file import MISSING, column_of, plain_errors, read_text
from omniretail.sources.parsing.typed_cells import Cell, check_cells, number, time
from omniretail.sources.protocol import LOCATION

_REQUIRED = ("user_id", "item_id", "timestamp")
_AMOUNTS = ("quantity", "value", "discount")
_COLUMNS = (*_REQUIRED, "event_type", "channel", "store_id", "basket_id", *_AMOUNTS)
_ITEM_COLUMNS = ("item_id", "name", "category")


@dataclass(frozen=True)
class CSV:
    """Any log with a user, an item and a time in each row.

    Ids stay text exactly as in the file: ``007`` and ``7`` are two ids. Rows without user, item or time, rows later
    than the time of reading, returns (quantity not positive) and exact duplicates are dropped and counted.

    Args:
        path: the log: .csv, .tsv, .txt (tabs), each optionally .gz or .zst, or .parquet. UTF-8.
        columns: canonical name -> name in the file, for the columns of ``events``; one that is left out or null is read
            under its canonical name where the file has it.
        delimiter: between cells; None: by the ending of the name.
        timestamp_format: for strptime; None accepts ISO 8601, YYYYMMDD and Unix time (seconds or milliseconds).
        timezone: IANA name of the time zone of times without an offset.
        event_type: of all rows, where there is no such column.
        channel: of all rows, where there is no such column.
        currency: of value and discount, which are amounts of the whole row, not of one piece.
        title: the dataset's name for people.
        items_path: a second file, one row per item; None: items have no attributes.
        item_columns: canonical name -> name in that file, for item_id, name and category.
        missing: values that stand for an empty cell.
        drop_duplicates: False where equal rows are separate events, such as two scans of one item.
    """

    path: str | Path | None = field(default=None, metadata=LOCATION)
    columns: Mapping[str, str | None] = field(default_factory=dict)
    delimiter: str | None = None
    timestamp_format: str | None = None
    timezone: str = "UTC"
    event_type: str = "purchase"
    channel: str = "online"
    currency: str = ""
    title: str = "own log"
    items_path: str | Path | None = field(default=None, metadata=LOCATION)
    item_columns: Mapping[str, str | None] = field(default_factory=dict)
    missing: Sequence[str] = MISSING
    drop_duplicates: bool = True

    def files(self) -> list[Path]:
        """See ``Source``.

        Raises:
            DataError: where no path is set.
        """
        if self.path is None:
            raise DataError("no log is named: set source.path, for instance to sales.csv")
        return [Path(path) for path in (self.path, self.items_path) if path is not None]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where the file is empty, lacks a column, or has a cell that is no time or no number.
        """
        path = self.files()[0]
        table = read_text(connection, path, self.delimiter, self.missing)
        names = mapped(table, path, self.columns, "source.columns", _COLUMNS, _REQUIRED)
        cells = {"timestamp": time(names["timestamp"], self.timestamp_format, self.timezone)}
        cells |= {amount: number(names[amount]) for amount in _AMOUNTS if amount in names}
        check_cells(table, path, cells)
        with plain_errors(path):
            rows, drops = count_drops(table, _reasons(names, cells))
            if self.drop_duplicates:
                rows, repeats = count_duplicates(rows)
                drops |= repeats
        card = DatasetCard(self.title, currency=self.currency)
        return Tables(card, rows.select(**self._events(names, cells)), items=self._items(connection), drops=drops)

    def _events(self, names: Mapping[str, str], cells: Mapping[str, Cell]) -> dict[str, Any]:
        texts: dict[str, Any] = {name: _[column] for name, column in names.items()}
        for name, constant in (("event_type", self.event_type), ("channel", self.channel)):
            texts[name] = texts[name].fill_null(constant) if name in texts else ibis.literal(constant)
        return texts | {name: cell.value for name, cell in cells.items()}

    def _items(self, connection: ibis.BaseBackend) -> ibis.Table | None:
        if self.items_path is None:
            return None
        path = Path(self.items_path)
        table = read_text(connection, path, self.delimiter, self.missing)
        names = mapped(table, path, self.item_columns, "source.item_columns", _ITEM_COLUMNS, _ITEM_COLUMNS[:1])
        items = (
            table.select(**{name: _[column] for name, column in names.items()}).filter(_.item_id.notnull()).distinct()
        )
        with plain_errors(path):
            _check_unique(items, path)
        return items


def mapped(
    table: ibis.Table,
    path: Path,
    columns: Mapping[str, str | None],
    setting: str,
    canonical: Sequence[str],
    required: Sequence[str],
) -> dict[str, str]:
    """Canonical name -> name in the file, of the columns that the file has.

    Args:
        table: from ``read_text``.
        path: for the message.
        columns: the user's mapping; null or left out: the canonical name, where the file has it.
        setting: that holds the mapping; for the message.
        canonical: names that may be mapped.
        required: names that the file must have.

    Raises:
        DataError: where the mapping names a missing column, or a required column is neither mapped nor in the file.
    """
    unknown = sorted(set(columns) - set(canonical))
    if unknown:
        raise DataError(f"{setting}.{unknown[0]} is no column of this table; choose from {', '.join(canonical)}")
    return {
        name: column_of(table, path, columns.get(name) or name, f"{setting}.{name}")
        for name in canonical
        if columns.get(name) or name in required or name in table.columns
    }


def _reasons(names: Mapping[str, str], cells: Mapping[str, Cell]) -> dict[str, Deferred]:
    reasons = {f"no {name.removesuffix('_id')}": _[names[name]].isnull() for name in _REQUIRED}
    reasons["in the future"] = cells["timestamp"].value > datetime.now(UTC).replace(tzinfo=None)
    if "quantity" in cells:
        reasons["quantity not positive"] = cells["quantity"].value <= 0
    return reasons


def _check_unique(items: ibis.Table, path: Path) -> None:
    if count(items) == count(items.select("item_id").distinct()):
        return
    repeated = items.group_by("item_id").agg(rows=_.count()).filter(_.rows > 1).order_by("item_id")
    first = repeated.limit(1).to_pyarrow().to_pylist()[0]
    raise DataError(f"{path}: item '{first['item_id']}' has {first['rows']} rows that differ; keep one row per item")
