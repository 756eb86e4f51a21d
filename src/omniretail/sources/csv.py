"""A log of your own: CSV, TSV or Parquet, one row per item and occasion, columns mapped by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.core.timezones import make_timestamp
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.signals import SIGNALS, Signals
from omniretail.sources.own_tables import OWN_TABLES, own_table
from omniretail.sources.parsing.amounts import check_price, with_refunds, with_value
from omniretail.sources.parsing.column_names import mapped
from omniretail.sources.parsing.drop_counting import count_drops
from omniretail.sources.parsing.guesses import guessed_columns
from omniretail.sources.parsing.layout import MISSING, Layout, files_of
from omniretail.sources.parsing.lists import single_values
from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.sessions import with_sessions
from omniretail.sources.parsing.staging import parsed, without_repeats
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.parsing.time_cells import time
from omniretail.sources.parsing.typed_cells import Cell, number
from omniretail.sources.protocol import LOCATION

_REQUIRED = ("user_id", "item_id", "timestamp")
_AMOUNTS = ("quantity", "value", "discount", "rating")
_PARTS = ("order", "unit_price")
_COLUMNS = (*_REQUIRED, "event_type", "channel", "store_id", "basket_id", "order", "fold", *_AMOUNTS, "unit_price")


@dataclass(frozen=True)
class CSV:
    """Any log with a user, an item and a time in each row.

    Purchases of a negative quantity or value are refunds. Ids stay text exactly as in the file: ``007`` and ``7`` are
    two ids. Rows without user, item or time, rows later than the time of reading, those with a quantity of zero and
    exact duplicates are dropped and counted.

    Args:
        path: the log: .csv, .tsv, .txt (tabs) or other delimited text, plain, .gz or .zst; Parquet, a file or a folder
            of parts; Arrow or Feather; .jsonl; .xlsx; or one of these in a .zip.
        columns: canonical name -> name in the file, for the columns of ``events``; one that is left out or null is read
            under its canonical name where the file has it. ``order``, a number, takes the place of ``timestamp`` in a
            log without dates; ``fold``, train or test, is for ``splits.Fixed``; ``unit_price`` times the quantity is
            the value, in a log without ``value``.
        header: names of the columns, where the file has no row of names.
        delimiter: between cells, such as ``;``, ``::``, ``tab`` or ``blanks``; None: by the ending of the name, or by
            the lines where the ending is none of those.
        widths: of the columns in characters, where they stand at fixed places.
        encoding: of files that are not UTF-8, such as gb18030; UTF-16 needs none.
        sheet: of a workbook; None: the first.
        decimal: ``.`` or ``,``.
        thousands: ``,`` where 1,234 is a thousand and more; None: only in numbers that can be nothing else (1,234.50).
        explode: canonical names of columns that hold lists; each value of a list becomes a row.
        list_separator: between the values of lists that are text; None: lists are written ``[a, b]``.
        timestamp_format: for strptime; None accepts what ``sources.parsing.time_cells.time`` lists.
        timezone: IANA name of the customers' time zone: of times without an offset, and of days, weekdays and hours.
        in_order: the rows have no dates but are in order: the number of a row takes the place of its time.
        session_minutes: events of a user with pauses below this are one basket, where they have no basket; None: each
            moment is one.
        event_type: of all rows, where there is no such column; None: rating where there are ratings, else purchase.
        event_types: the shop's word for an event type -> the word to use, such as ``{pv: view}``.
        signals: event type -> purchase, cart, view, rating or refund, see ``omniretail.signals``.
        feedback: signal -> weight in what recommenders learn from; 0: not learned from.
        judged: signals that recommenders are judged by; empty: purchases where the log has them, else all feedback.
        min_rating: ratings below are no positive feedback.
        weigh_ratings: multiply the weight of a rating by the rating.
        channel: of all rows, where there is no such column.
        currency: of value and discount, which are amounts of the whole row, not of one piece.
        title: the dataset's name for people.
        users_path: a file with a row per customer; all columns but the id are attributes.
        user_columns: canonical name -> name in that file, for user_id.
        items_path: a file with a row per item; None: items have no attributes.
        item_columns: canonical name -> name in that file, for item_id, name and category.
        stores_path: a file with a row per store.
        store_columns: for store_id; ``lat`` and ``lon``, or ``x`` and ``y``, are places.
        stock_path: a file with a row per store and item, as of the cutoff.
        stock_columns: for store_id, item_id and quantity.
        hours_path: a file with a row per store and weekday, or several.
        hour_columns: for store_id, weekday (0 = Monday), opens and closes (``HH:MM``).
        offers_path: a file with a row per offer.
        offer_columns: for offer_id, start, end, channel, kind and discount.
        offer_items_path: a file with a row per offer and item that it covers.
        offer_item_columns: for offer_id and item_id.
        offer_events_path: a file with a row per mailing and redemption.
        offer_event_columns: for user_id, offer_id, timestamp, event_type (sent or redeemed) and store_id.
        missing: values that stand for an empty cell.
        not_products: ids or patterns such as ``GIFT*`` of items that are none, in upper or lower case; their rows are
            dropped and counted.
        guess: columns and event types that no setting names are guessed from their names, for a first look.
        drop_duplicates: False where equal rows are separate events, such as two scans of one item.
    """

    path: str | Path | None = field(default=None, metadata=LOCATION)
    columns: Mapping[str, str | None] = field(default_factory=dict)
    header: Sequence[str] = ()
    delimiter: str | None = None
    widths: Sequence[int] = ()
    encoding: str | None = None
    sheet: str | None = None
    decimal: str = "."
    thousands: str | None = None
    explode: Sequence[str] = ()
    list_separator: str | None = None
    timestamp_format: str | None = None
    timezone: str = "UTC"
    in_order: bool = False
    session_minutes: float | None = None
    event_type: str | None = None
    event_types: Mapping[Any, str] | None = None
    signals: Mapping[Any, str] | None = None
    feedback: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(SIGNALS[:-1], 1.0))
    judged: Sequence[str] = ()
    min_rating: float | None = None
    weigh_ratings: bool = False
    channel: str = "online"
    currency: str = ""
    title: str = "own log"
    users_path: str | Path | None = field(default=None, metadata=LOCATION)
    user_columns: Mapping[str, str | None] = field(default_factory=dict)
    items_path: str | Path | None = field(default=None, metadata=LOCATION)
    item_columns: Mapping[str, str | None] = field(default_factory=dict)
    stores_path: str | Path | None = field(default=None, metadata=LOCATION)
    store_columns: Mapping[str, str | None] = field(default_factory=dict)
    stock_path: str | Path | None = field(default=None, metadata=LOCATION)
    stock_columns: Mapping[str, str | None] = field(default_factory=dict)
    hours_path: str | Path | None = field(default=None, metadata=LOCATION)
    hour_columns: Mapping[str, str | None] = field(default_factory=dict)
    offers_path: str | Path | None = field(default=None, metadata=LOCATION)
    offer_columns: Mapping[str, str | None] = field(default_factory=dict)
    offer_items_path: str | Path | None = field(default=None, metadata=LOCATION)
    offer_item_columns: Mapping[str, str | None] = field(default_factory=dict)
    offer_events_path: str | Path | None = field(default=None, metadata=LOCATION)
    offer_event_columns: Mapping[str, str | None] = field(default_factory=dict)
    missing: Sequence[str] = MISSING
    drop_duplicates: bool = True
    not_products: Sequence[str] = ()
    guess: bool = False

    def files(self) -> list[Path]:
        """See ``Source``.

        Raises:
            DataError: where no path is set.
        """
        if self.path is None:
            raise DataError("no log is named: set source.path, for instance to sales.csv")
        return [file for path in (_expanded(self.path), *self._own_paths().values()) for file in files_of(path)]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where the file is empty, lacks a column, or has a cell that is no time or no number.
        """
        path, meaning = _expanded(self.path or self.files()[0]), self._meaning()
        with plain_errors(path):
            table = read_text(connection, path, self._layout())
            names = mapped(table, path, self._mapping(table), "source.columns", _COLUMNS, self._required())
            check_price(names, self.columns, path)
            rows = self._rows(connection, table, path, names)
            rows, drops = count_drops(rows, _reasons(rows, self.not_products))
            rows, repeats = without_repeats(rows, self.drop_duplicates)
        events = rows if self.session_minutes is None else with_sessions(rows, self.session_minutes)
        drops, changes = drops | repeats, {}
        if {"quantity", "value"} & set(events.columns):
            events, changes = with_refunds(events, meaning)
        meaning = meaning.guessed(events) if self.guess else meaning
        card = DatasetCard(self.title, currency=self.currency, zone=self.timezone, clock=self._has_dates())
        others: dict[str, Any] = self._own_tables(connection)
        guesses = _guesses(names, meaning) if self.guess else {}
        return Tables(card, events, drops=drops, changes=changes, guesses=guesses, signals=meaning, **others)

    def _rows(self, connection: ibis.BaseBackend, table: ibis.Table, path: Path, names: dict[str, str]) -> ibis.Table:
        """The file's rows, typed, under canonical names."""
        if not self._has_dates():
            names.pop("timestamp", None)
        table = single_values(table, path, names, self.explode, self.list_separator)
        cells = self._cells(names)
        return with_value(_dated(parsed(connection, table, path, self._events(names, cells), cells)))

    def _mapping(self, table: ibis.Table) -> Mapping[str, str | None]:
        """Canonical name -> name in the file, guessed names included."""
        return guessed_columns(table.columns, self.columns, _COLUMNS) if self.guess else self.columns

    def _has_dates(self) -> bool:
        return not self.in_order and not self.columns.get("order")

    def _meaning(self) -> Signals:
        words = {_word(word): signal for word, signal in (self.signals or {}).items()}
        return Signals(words, self.feedback, self.judged, self.min_rating, self.weigh_ratings)

    def _events(self, names: Mapping[str, str], cells: Mapping[str, Cell]) -> dict[str, Any]:
        texts: dict[str, Any] = {name: _[column] for name, column in names.items()}
        event_type = self.event_type or ("rating" if "rating" in names else "purchase")
        for name, constant in (("event_type", event_type), ("channel", self.channel)):
            texts[name] = texts[name].fill_null(constant) if name in texts else ibis.literal(constant)
        if self.event_types:
            words = {_word(word): name for word, name in self.event_types.items()}
            texts["event_type"] = texts["event_type"].cast("string").strip().substitute(words)
        return texts | {name: cell.value for name, cell in cells.items()}

    def _layout(self, **others: Any) -> Layout:
        own = {name: getattr(self, name) for name in ("delimiter", "header", "widths", "encoding", "sheet", "missing")}
        return Layout(**own | others)

    def _required(self) -> tuple[str, ...]:
        return _REQUIRED if self._has_dates() else _REQUIRED[:2]

    def _cells(self, names: Mapping[str, str]) -> dict[str, Cell]:
        cells = {
            amount: number(names[amount], self.decimal, self.thousands)
            for amount in (*_AMOUNTS, *_PARTS)
            if amount in names
        }
        if "timestamp" in names:
            cells["timestamp"] = time(names["timestamp"], self.timestamp_format, self.timezone)
        return cells

    def _own_tables(self, connection: ibis.BaseBackend) -> dict[str, ibis.Table]:
        layout = self._layout(header=(), widths=(), sheet=None)
        return {
            name: own_table(
                *(connection, name, path, getattr(self, f"{name.removesuffix('s')}_columns")),
                *(layout, self.decimal, self.timezone),
            )
            for name, path in self._own_paths().items()
        }

    def _own_paths(self) -> dict[str, Path]:
        paths = {name: getattr(self, f"{name}_path") for name in OWN_TABLES}
        return {name: _expanded(path) for name, path in paths.items() if path is not None}


def _word(value: Any) -> str:
    """A value of a setting as the cells of a file have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _dated(rows: ibis.Table) -> ibis.Table:
    """Rows with a time; where there are no dates, the order or the row's number is one, in seconds since 1970."""
    if "timestamp" not in rows.columns:
        order: Any = rows.order if "order" in rows.columns else rows.file_row.cast("float64")
        rows = rows.mutate(timestamp=make_timestamp((order * 1_000_000).round().cast("int64")))
    return rows.drop("order") if "order" in rows.columns else rows


def _guesses(names: Mapping[str, str], meaning: Signals) -> dict[str, Any]:
    """The settings that a first look has guessed."""
    columns = {f"source.columns.{name}": column for name, column in names.items() if name != column}
    return columns | ({"source.signals": dict(meaning.of)} if meaning.of else {})


def _reasons(rows: ibis.Table, not_products: Sequence[str]) -> dict[str, Any]:
    reasons = {f"no {name.removesuffix('_id')}": _[name].isnull() for name in _REQUIRED}
    reasons |= {"quantity zero": _.quantity == 0} if "quantity" in rows.columns else {}
    item: Any = _.item_id.cast("string").upper()
    matches = [item.re_search(_whole(str(each).upper())) for each in not_products]
    return reasons | ({"no product": reduce(or_, matches)} if matches else {})


def _whole(pattern: str) -> str:
    """A pattern such as ``GIFT*`` as a regular expression of the whole text."""
    return "^" + re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") + "$"


def _expanded(path: str | Path) -> Path:
    return Path(path).expanduser()
