"""The canonical tables: output of every source, input of everything else.

Ids stay raw (text or integers), times are UTC without a zone, amounts are in the currency of the source's card. Other
columns than those named here are attributes.
"""

from dataclasses import dataclass, field, fields
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pandera.errors
import pandera.ibis as pa

from omniretail.core.engine import count
from omniretail.core.errors import DataError
from omniretail.signals import Signals


@dataclass(frozen=True)
class DatasetCard:
    """What to know about a dataset beside any result on it.

    Attributes:
        title: the dataset's name for people.
        address: where it is published.
        terms: licence and terms of use, in a sentence.
        currency: of ``value`` and ``discount``; empty where there are no amounts.
        zone: IANA name of the customers' time zone, for hours and weekdays.
        clock: False where the data has an order but no times; ``timestamp`` is then a position, in seconds since 1970.
        note: a sentence shown beside every result on this data.
    """

    title: str
    address: str = ""
    terms: str = ""
    currency: str = ""
    zone: str = "UTC"
    clock: bool = True
    note: str = ""


@dataclass(frozen=True)
class Tables:
    """One dataset in canonical form.

    Attributes:
        card: describes the dataset.
        events: what users did; one row per item and occasion.
        stock: pieces of items in stores, as of the cutoff.
        hours: opening hours of stores, by weekday (0 = Monday), ``HH:MM`` in the customers' zone.
        experiment: customers of an experiment without a log, who was treated, and the outcome.
        drops: dropped rows, counted by reason.
        changes: rows with a changed value, counted by kind of change.
        guesses: settings that a source has guessed, by name.
        version: hash of the raw files, the reader's settings and the reader's code; empty until cached.
        signals: what the event types mean.
        in_file_order: whether events of one user and moment lie in the order of the raw file.
    """

    card: DatasetCard
    events: ibis.Table
    users: ibis.Table | None = None
    items: ibis.Table | None = None
    stores: ibis.Table | None = None
    stock: ibis.Table | None = None
    hours: ibis.Table | None = None
    offers: ibis.Table | None = None
    offer_items: ibis.Table | None = None
    offer_events: ibis.Table | None = None
    experiment: ibis.Table | None = None
    drops: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    guesses: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    signals: Signals = field(default_factory=Signals)
    in_file_order: bool = False

    @property
    def feedback(self) -> ibis.Table:
        """Events that recommenders learn from and are judged by, see ``Signals.feedback_events``."""
        return self.signals.feedback_events(self.events)

    @property
    def purchases(self) -> ibis.Table:
        """Events that are purchases."""
        return self.signals.purchases(self.events)

    def named(self) -> dict[str, ibis.Table]:
        """The tables that there are, by name."""
        tables = {f.name: getattr(self, f.name) for f in fields(self) if f.name in SCHEMAS}
        return {name: table for name, table in tables.items() if table is not None}


def _id(required: bool = True) -> pa.Column:
    return pa.Column(nullable=not required, required=required)


def _time() -> pa.Column:
    return pa.Column(ibis.dtype("timestamp"), nullable=False)


def _number(*checks: pa.Check) -> pa.Column:
    return pa.Column(ibis.dtype("float64"), list(checks), nullable=False)


def _amount(*checks: pa.Check) -> pa.Column:
    return pa.Column(ibis.dtype("float64"), list(checks), nullable=True, required=False)


def _text(*choices: str, required: bool = True) -> pa.Column:
    check = [pa.Check.isin(list(choices))] if choices else []
    return pa.Column(ibis.dtype("string"), check, nullable=not required, required=required)


SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "events": pa.DataFrameSchema(
        {
            "user_id": _id(),
            "item_id": _id(),
            "timestamp": _time(),
            "event_type": _text(),
            "channel": _text(),
            "store_id": _id(required=False),
            "basket_id": _id(required=False),
            "quantity": _amount(pa.Check.gt(0)),
            "value": _amount(),
            "discount": _amount(),
            "coupon": _amount(),
            "rating": _amount(),
            "fold": _text("train", "test", required=False),
        }
    ),
    "users": pa.DataFrameSchema({"user_id": _id()}),
    "items": pa.DataFrameSchema({"item_id": _id(), "name": _text(required=False), "category": _text(required=False)}),
    "stores": pa.DataFrameSchema({"store_id": _id()}),
    "stock": pa.DataFrameSchema({"store_id": _id(), "item_id": _id(), "quantity": _number()}),
    "hours": pa.DataFrameSchema(
        {"store_id": _id(), "weekday": _number(pa.Check.isin(range(7))), "opens": _text(), "closes": _text()}
    ),
    "offers": pa.DataFrameSchema(
        {
            "offer_id": _id(),
            "start": _time(),
            "end": _time(),
            "channel": _text(),
            "kind": _text(),
            "discount": _amount(),
        }
    ),
    "offer_items": pa.DataFrameSchema({"offer_id": _id(), "item_id": _id()}),
    "offer_events": pa.DataFrameSchema(
        {"user_id": _id(), "offer_id": _id(), "timestamp": _time(), "event_type": _text("sent", "redeemed")}
    ),
    "experiment": pa.DataFrameSchema(
        {
            "user_id": _id(),
            "treated": pa.Column(ibis.dtype("boolean"), nullable=False),
            "outcome": pa.Column(ibis.dtype("float64"), nullable=False),
            "cost": _amount(),
        }
    ),
}
_KEYS = {"experiment": "user_id", "users": "user_id", "items": "item_id", "stores": "store_id", "offers": "offer_id"}


def check(tables: Tables) -> None:
    """Check every table against its schema.

    Raises:
        DataError: naming the table, the column and what is wrong with it.
    """
    for name, table in tables.named().items():
        if count(table) == 0:  # pandera reports nulls in empty tables
            _check_columns(name, table)
            continue
        try:
            SCHEMAS[name].validate(_any_precision(table))
        except pandera.errors.SchemaError as error:
            # pandera appends the query plan; the first line is enough
            raise DataError(f"table {name}: {str(error).splitlines()[0]}") from None
        _check_ids(name, table)


def _check_columns(name: str, table: ibis.Table) -> None:
    required = [str(column) for column, schema in SCHEMAS[name].columns.items() if schema.required]
    if missing := [column for column in required if column not in table.columns]:
        raise DataError(f"table {name}: column '{missing[0]}' not in table; it has {', '.join(table.columns)}")


def _any_precision(table: ibis.Table) -> ibis.Table:
    """The table with times of one precision, so that one schema fits all files."""
    times = [
        name for name, dtype in table.schema().items() if isinstance(dtype, dt.Timestamp) and dtype.timezone is None
    ]
    return table.cast(dict.fromkeys(times, "timestamp"))


def _check_ids(name: str, table: ibis.Table) -> None:
    for column, dtype in table.schema().items():
        if column.endswith("_id") and not (dtype.is_string() or dtype.is_integer()):
            raise DataError(f"table {name}: column {column} is {dtype}; an id must be text or an integer")
    key = _KEYS.get(name)
    if key and count(table) != count(table.select(key).distinct()):
        raise DataError(f"table {name}: column {key} must be unique; keep one row per {key}")
