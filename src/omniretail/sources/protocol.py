"""What a source is, and how its tables are read through the cache."""

import dataclasses
import json
import logging
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import ibis

from omniretail import schema
from omniretail.core import engine, timezones
from omniretail.core.cache import cached, digest, parts_of
from omniretail.schema import DataError, DatasetCard, Tables

log = logging.getLogger(__name__)

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
    version = _version(source)
    folder = cached(cache / "tables", version, lambda partial: _write(source, partial))
    tables = _open(folder, version)
    log.info("%s: %s", tables.card.title, _counts(tables.drops, tables.changes))
    return tables


def _version(source: Source) -> str:
    """Hash of settings, files and code; a change to any reader counts, for readers share code."""
    files = source.files()
    code = [schema, timezones, *sorted(Path(__file__).parent.rglob("*.py"))]
    return digest(*parts_of(source), [file.name for file in files], *files, *code)


def _write(source: Source, folder: Path) -> None:
    connection = engine.connect()
    tables = source.read(connection)
    for name, table in tables.named().items():
        order = [c for c in ("user_id", "timestamp", "basket_id", "item_id") if c in table.columns]
        connection.to_parquet(table.order_by(order) if order else table, folder / f"{name}.parquet")
    about = {"card": dataclasses.asdict(tables.card), "drops": tables.drops, "changes": tables.changes}
    (folder / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False))
    written = _open(folder, version="")
    if engine.count(written.events) == 0:
        raise DataError(f"{tables.card.title}: no events are left ({_counts(tables.drops, tables.changes)})")
    schema.check(written)


def _open(folder: Path, version: str) -> Tables:
    connection = engine.connect()
    about = json.loads((folder / "about.json").read_text())
    paths = {name: folder / f"{name}.parquet" for name in schema.SCHEMAS}
    tables: dict[str, Any] = {name: connection.read_parquet(path) for name, path in paths.items() if path.exists()}
    return Tables(DatasetCard(**about.pop("card")), version=version, **about, **tables)


def _counts(drops: dict[str, int], changes: dict[str, int]) -> str:
    dropped, changed = (
        " · ".join(f"{what} {rows:,}" for what, rows in counts.items() if rows) for counts in (drops, changes)
    )
    return f"dropped: {dropped or 'nothing'}" + (f"; changed: {changed}" if changed else "")
