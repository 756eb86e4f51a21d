"""The canonical tables: what every source delivers and everything downstream reads.

Ids stay raw (text or integers), times are UTC without a zone, amounts are in the currency that the source's card
states. Columns beyond those named here are attributes and free.
"""

from dataclasses import dataclass, field, fields

import ibis
import ibis.expr.datatypes as dt
import pandera.errors
import pandera.ibis as pa

from omniretail.core.engine import count
from omniretail.core.errors import DataError


@dataclass(frozen=True)
class DatasetCard:
    """What a reader of any result must know about the data behind it.

    Attributes:
        title: the dataset's name for people.
        address: where it is published.
        terms: licence and terms of use, in a sentence.
        currency: of ``value`` and ``discount``; empty where there are no amounts.
        zone: where the customers' clocks stand (IANA name); hours and weekdays are told by it.
        clock: False where the data holds an order only; ``timestamp`` is then a position, counted in seconds from 1970.
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
        card: what to know about the data.
        events: what users did; one row per item and occasion.
        drops: rows left out, counted by reason.
        changes: rows kept with a value altered, counted by what was done.
        version: hash of the raw files, the reader's settings and the reader's code; empty until stored.
    """

    card: DatasetCard
    events: ibis.Table
    users: ibis.Table | None = None
    items: ibis.Table | None = None
    stores: ibis.Table | None = None
    offers: ibis.Table | None = None
    offer_items: ibis.Table | None = None
    offer_events: ibis.Table | None = None
    drops: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    version: str = ""

    def named(self) -> dict[str, ibis.Table]:
        """The tables that are present, by name."""
        tables = {f.name: getattr(self, f.name) for f in fields(self) if f.name in SCHEMAS}
        return {name: table for name, table in tables.items() if table is not None}


def _id(required: bool = True) -> pa.Column:
    return pa.Column(nullable=not required, required=required)


def _time() -> pa.Column:
    return pa.Column(ibis.dtype("timestamp"), nullable=False)


def _amount(*checks: pa.Check) -> pa.Column:
    return pa.Column(ibis.dtype("float64"), list(checks), nullable=True, required=False)


def _word(*words: str, required: bool = True) -> pa.Column:
    check = [pa.Check.isin(list(words))] if words else []
    return pa.Column(ibis.dtype("string"), check, nullable=not required, required=required)


SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "events": pa.DataFrameSchema(
        {
            "user_id": _id(),
            "item_id": _id(),
            "timestamp": _time(),
            "event_type": _word(),
            "channel": _word(),
            "store_id": _id(required=False),
            "basket_id": _id(required=False),
            "quantity": _amount(pa.Check.gt(0)),
            "value": _amount(),
            "discount": _amount(),
            "coupon": _amount(),
            "fold": _word("train", "test", required=False),
        }
    ),
    "users": pa.DataFrameSchema({"user_id": _id()}),
    "items": pa.DataFrameSchema({"item_id": _id(), "name": _word(required=False), "category": _word(required=False)}),
    "stores": pa.DataFrameSchema({"store_id": _id()}),
    "offers": pa.DataFrameSchema(
        {
            "offer_id": _id(),
            "start": _time(),
            "end": _time(),
            "channel": _word(),
            "kind": _word(),
            "discount": _amount(),
        }
    ),
    "offer_items": pa.DataFrameSchema({"offer_id": _id(), "item_id": _id()}),
    "offer_events": pa.DataFrameSchema(
        {"user_id": _id(), "offer_id": _id(), "timestamp": _time(), "event_type": _word("sent", "redeemed")}
    ),
}
_KEYS = {"users": "user_id", "items": "item_id", "stores": "store_id", "offers": "offer_id"}


def check(tables: Tables) -> None:
    """Hold every table against its schema.

    Raises:
        DataError: naming the table, the column and what is wrong with it.
    """
    for name, table in tables.named().items():
        if count(table) == 0:  # of which pandera says that there are nulls in it
            _check_columns(name, table)
            continue
        try:
            SCHEMAS[name].validate(_any_precision(table))
        except pandera.errors.SchemaError as error:
            # pandera appends the whole query plan; its first line is the sentence a person needs.
            raise DataError(f"table {name}: {str(error).splitlines()[0]}") from None
        _check_ids(name, table)


def _check_columns(name: str, table: ibis.Table) -> None:
    needed = [str(column) for column, about in SCHEMAS[name].columns.items() if about.required]
    if missing := [column for column in needed if column not in table.columns]:
        raise DataError(f"table {name}: column '{missing[0]}' not in table; it has {', '.join(table.columns)}")


def _any_precision(table: ibis.Table) -> ibis.Table:
    """Times of whatever precision the file has them in, so that one schema fits all."""
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
