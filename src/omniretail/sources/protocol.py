"""What a source is, and how its tables are stored once and read back."""

import dataclasses
import json
import logging
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import ibis

from omniretail import schema
from omniretail.core import engine
from omniretail.core.cache import cached, digest
from omniretail.schema import DataError, DatasetCard, Tables

log = logging.getLogger(__name__)

LOCATION = MappingProxyType({"location": True})
"""Metadata of a field that says where files lie: the same files elsewhere are the same data."""


class Source(Protocol):
    """A dataset: a frozen dataclass whose fields are its settings, those that hold paths marked ``LOCATION``."""

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
            raise DataError(
                f"{file} is not there: set data_root (OMNIRETAIL_DATA) or source.path, or run scripts/fetch.py"
            )
    version = _version(source)
    folder = cached(cache / "tables", version, lambda partial: _write(source, partial))
    tables = _open(folder, version)
    log.info("%s: %s", tables.card.title, _account(tables.drops, tables.changes))
    return tables


def _version(source: Source) -> str:
    """Hash of settings, files and code; any change to any reader counts, for readers share code."""
    files = source.files()
    code = [sys.modules[type(source).__module__], schema, *sorted(Path(__file__).parent.rglob("*.py"))]
    return digest(type(source).__qualname__, _settings(source), [file.name for file in files], *files, *code)


def _settings(source: Any) -> dict[str, Any]:
    """All fields but those that say where files lie, of sources inside a source too."""
    fields = {f.name: getattr(source, f.name) for f in dataclasses.fields(source) if not f.metadata.get("location")}
    return {name: _settings(value) if dataclasses.is_dataclass(value) else value for name, value in fields.items()}


def _write(source: Source, folder: Path) -> None:
    connection = engine.connect()
    tables = source.read(connection)
    for name, table in tables.named().items():
        order = [c for c in ("user_id", "timestamp", "basket_id", "item_id") if c in table.columns]
        connection.to_parquet(table.order_by(order) if order else table, folder / f"{name}.parquet")
    facts = {"card": dataclasses.asdict(tables.card), "drops": tables.drops, "changes": tables.changes}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False))
    written = _open(folder, version="")
    if engine.count(written.events) == 0:
        raise DataError(f"{tables.card.title}: no events are left ({_account(tables.drops, tables.changes)})")
    schema.check(written)


def _open(folder: Path, version: str) -> Tables:
    connection = engine.connect()
    facts = json.loads((folder / "facts.json").read_text())
    found = {name: folder / f"{name}.parquet" for name in schema.SCHEMAS}
    tables: dict[str, Any] = {name: connection.read_parquet(path) for name, path in found.items() if path.exists()}
    return Tables(DatasetCard(**facts.pop("card")), version=version, **facts, **tables)


def _account(drops: dict[str, int], changes: dict[str, int]) -> str:
    dropped, changed = (
        " · ".join(f"{what} {rows:,}" for what, rows in counts.items() if rows) for counts in (drops, changes)
    )
    return f"dropped: {dropped or 'nothing'}" + (f"; changed: {changed}" if changed else "")
