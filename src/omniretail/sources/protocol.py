"""What a source is, and how its tables are read through the cache."""

import dataclasses
import json
import logging
import os
import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import ibis
from ibis import _

from omniretail import schema, signals
from omniretail.core import engine, timezones
from omniretail.core.cache import cached, digest, parts_of
from omniretail.core.times import to_local
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.signals import Signals

log = logging.getLogger(__name__)

_FACTS = "facts.json"
_TIES = ("event_type", "channel", "store_id", "quantity", "value", "discount", "coupon")

LOCATION = MappingProxyType({"location": True})
"""Metadata of a field that holds a path: the same files in another folder are the same data."""


class Source(Protocol):
    """A dataset: a frozen dataclass whose fields are its settings; those that hold paths are marked ``LOCATION``."""

    def files(self) -> list[Path]:
        """The raw files that the tables are read from; their content is part of the version."""
        ...

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """The raw files as canonical tables, with dropped rows counted by reason.

        Raises:
            DataError: naming file, row and column.
        """
        ...


def load(source: Source, cache: Path) -> Tables:
    """Read a source through the cache.

    Raises:
        DataError: where a raw file is missing, broken or empty.
        PermissionError: where the cache cannot be written.
    """
    for file in source.files():
        if not file.is_file():
            raise DataError(
                f"{file} is not there: set data_root (OMNIRETAIL_DATA) or source.path, or run scripts/fetch.py"
            )
        if not os.access(file, os.R_OK):
            raise DataError(f"{file} may not be read by this user: {shlex.join(['chmod', 'u+r', str(file)])}")
    version = _version(source)
    folder = cached(cache / "tables", version, lambda partial: _write(source, partial))
    read = _open(folder, version)
    tables = _until(datetime.now(UTC).replace(tzinfo=None), read)
    facts = json.loads((folder / _FACTS).read_text()) if tables is read else _facts(tables)
    log.info("%s: %s; %s", tables.card.title, _summary(facts, tables), _counts(tables.drops, tables.changes))
    return tables


def _until(now: datetime, tables: Tables) -> Tables:
    """The tables without events that are still to come: the cache has them, so that their day is not missed.

    Raises:
        DataError: where no other event is left.
    """
    to_come = engine.count(tables.events.filter(_.timestamp > now)) if tables.card.clock else 0
    if not to_come:
        return tables
    drops = tables.drops | {"in the future": to_come}
    if to_come == engine.count(tables.events):
        raise DataError(f"{tables.card.title}: no events are left ({_counts(drops, tables.changes)})")
    version = digest(tables.version, to_come)
    return dataclasses.replace(tables, events=tables.events.filter(_.timestamp <= now), drops=drops, version=version)


def _version(source: Source) -> str:
    """Hash of settings, files and code; a change to any reader counts, for readers share code."""
    files = source.files()
    code = [schema, signals, timezones, *sorted(Path(__file__).parent.rglob("*.py"))]
    return digest(*parts_of(source), [file.name for file in files], *files, *code)


def _write(source: Source, folder: Path) -> None:
    connection = engine.connect()
    tables = source.read(connection)
    for name, table in tables.named().items():
        connection.to_parquet(_in_order(table), folder / f"{name}.parquet")
    about = {"card": dataclasses.asdict(tables.card), "drops": tables.drops, "changes": tables.changes}
    about["guesses"] = tables.guesses
    about["signals"] = dataclasses.asdict(_with_event_types(tables))
    about["in_file_order"] = "file_row" in tables.events.columns
    (folder / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False))
    written = _open(folder, version="")
    if engine.count(written.events) == 0:
        raise DataError(f"{tables.card.title}: no events are left ({_counts(tables.drops, tables.changes)})")
    schema.check(written)
    (folder / _FACTS).write_text(json.dumps(_facts(written)))


def _facts(tables: Tables) -> dict[str, Any]:
    """Counts of a log, its first and last day in the customers' zone, and its events by type."""
    events: Any = tables.events
    counted = events.agg(
        events=_.count(),
        customers=_.user_id.nunique(),
        items=_.item_id.nunique(),
        first=_.timestamp.min(),
        last=_.timestamp.max(),
    )
    facts = counted.to_pyarrow().to_pylist()[0]
    days = {name: str(to_local(facts[name], tables.card.zone).date()) for name in ("first", "last")}
    kinds = events.group_by("event_type").agg(n=_.count()).order_by(_.n.desc(), "event_type").to_pyarrow().to_pylist()
    return facts | days | {"event_types": {each["event_type"]: each["n"] for each in kinds}}


def _summary(facts: Mapping[str, Any], tables: Tables) -> str:
    """What a log holds, in a line."""
    when = f", {facts['first']} to {facts['last']}" if tables.card.clock else ""
    signals: Counter[str] = Counter()
    for event_type, n in facts["event_types"].items():
        signals[tables.signals.signal(event_type)] += n
    kinds = " · ".join(f"{signal} {n:,}" for signal, n in signals.most_common())
    counts = f"{facts['events']:,} events of {facts['customers']:,} customers and {facts['items']:,} items"
    return f"{counts}{when} ({kinds})"


def _with_event_types(tables: Tables) -> Signals:
    """The signals of a log, with the event types that it has.

    Raises:
        DataError: where one has no signal.
    """
    names = sorted(tables.events.select("event_type").distinct().to_pandas().event_type)
    tables.signals.check(names)
    return dataclasses.replace(tables.signals, event_types=names)


def _in_order(table: ibis.Table) -> ibis.Table:
    """Rows by user and time; ties in time in the file's order, where the source has it as ``file_row``."""
    if "file_row" in table.columns:
        return table.order_by("user_id", "timestamp", "file_row").drop("file_row")
    first = [name for name in ("user_id", "timestamp", "basket_id", "item_id") if name in table.columns]
    ties = [name for name in _TIES if name in table.columns] if "timestamp" in first else []
    return table.order_by(first + ties) if first else table


def _open(folder: Path, version: str) -> Tables:
    connection = engine.connect()
    about = json.loads((folder / "about.json").read_text())
    paths = {name: folder / f"{name}.parquet" for name in schema.SCHEMAS}
    tables: dict[str, Any] = {name: connection.read_parquet(path) for name, path in paths.items() if path.exists()}
    card, meaning = DatasetCard(**about.pop("card")), Signals(**about.pop("signals"))
    return Tables(card, signals=meaning, version=version, **about, **tables)


def _counts(drops: dict[str, int], changes: dict[str, int]) -> str:
    dropped, changed = (
        " · ".join(f"{what} {rows:,}" for what, rows in counts.items() if rows) for counts in (drops, changes)
    )
    return f"dropped: {dropped or 'nothing'}" + (f"; changed: {changed}" if changed else "")
