"""What a source is, and how its tables are stored once and read back."""

import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import Protocol

import ibis

from omniretail import engine, schema
from omniretail.schema import Card, DataError, Tables
from omniretail.store import digest, stored

log = logging.getLogger(__name__)


class Source(Protocol):
    """A dataset: a frozen dataclass whose fields are its settings."""

    def files(self) -> list[Path]:
        """The raw files that the tables are read from; their content is part of the version."""
        ...

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """The raw files as canonical tables, with the rows left out counted by reason.

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
            raise DataError(f"{file} is not there: set data_root (OMNIRETAIL_DATA), or get it with scripts/fetch.py")
    module = sys.modules[type(source).__module__]
    version = digest(_settings(source), schema, module, *source.files())
    folder = stored(cache / "tables", version, lambda partial: _write(source, partial))
    tables = _open(folder, version)
    log.info("%s: %s", tables.card.title, _drop_line(tables.drops))
    return tables


def _settings(source: Source) -> dict:
    """The fields that change the tables: not where the files lie, for the same files elsewhere are the same data."""
    assert dataclasses.is_dataclass(source)
    values = {f.name: getattr(source, f.name) for f in dataclasses.fields(source)}
    return {"source": type(source).__qualname__, **{k: v for k, v in values.items() if not isinstance(v, Path)}}


def _write(source: Source, folder: Path) -> None:
    connection = engine.connect()
    tables = source.read(connection)
    for name, table in tables.named().items():
        order = [c for c in ("user_id", "timestamp", "basket_id", "item_id") if c in table.columns]
        connection.to_parquet(table.order_by(order) if order else table, folder / f"{name}.parquet")
    written = _tables(folder, tables.card, tables.drops, "")
    schema.check(written)
    if written.events.count().execute() == 0:
        raise DataError(f"{tables.card.title}: no events are left ({_drop_line(tables.drops)})")
    facts = {"card": dataclasses.asdict(tables.card), "drops": tables.drops}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False))


def _open(folder: Path, version: str) -> Tables:
    facts = json.loads((folder / "facts.json").read_text())
    return _tables(folder, Card(**facts["card"]), facts["drops"], version)


def _tables(folder: Path, card: Card, drops: dict[str, int], version: str) -> Tables:
    connection = engine.connect()
    found = {name: folder / f"{name}.parquet" for name in schema.SCHEMAS}
    tables = {name: connection.read_parquet(path) for name, path in found.items() if path.exists()}
    return Tables(card=card, drops=drops, version=version, **tables)


def _drop_line(drops: dict[str, int]) -> str:
    return "dropped: " + (" · ".join(f"{reason} {rows:,}" for reason, rows in drops.items() if rows) or "nothing")
