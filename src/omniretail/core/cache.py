"""The cache: folders of Parquet, each under a hash of everything that its content depends on.

A folder is written under a temporary name and renamed, so a reader sees all of it or nothing, even where a run is
killed or two runs write the same folder.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_ABANDONED_AFTER_S = 24 * 3600


def digest(*parts: object) -> str:
    """Sixteen hex digits over JSON-able settings, files (by content) and modules (by source text)."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with part.open("rb") as file:
                sha.update(hashlib.file_digest(file, "sha256").digest())
        elif isinstance(part, ModuleType):
            sha.update(Path(str(part.__file__)).read_bytes())
        else:
            sha.update(json.dumps(part, sort_keys=True, default=str).encode())
        sha.update(b"\0")
    return sha.hexdigest()[:16]


def parts_of(settings: Any) -> Iterator[object]:
    """Parts of a digest that identify a dataclass: its class, the module of its class, and its fields.

    Fields that are dataclasses contribute in the same way, so that the code of a split inside a split counts. Fields
    whose metadata says ``location`` hold paths and do not count.

    Args:
        settings: an instance of a dataclass, such as a source or a split.
    """
    yield type(settings).__qualname__
    yield sys.modules[type(settings).__module__]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if not field.metadata.get("location"):
            yield field.name
            yield from parts_of(value) if dataclasses.is_dataclass(value) else [value]


def cached(root: Path, key: str, write: Callable[[Path], None]) -> Path:
    """The folder ``root/key``; ``write`` fills it unless it exists.

    Args:
        root: folder of the cache; created if missing.
        key: hash of everything that the content depends on.
        write: fills the empty folder that it receives.

    Raises:
        PermissionError: where ``root`` cannot be written; the message names the setting to change.
    """
    final = root / key
    if final.exists():
        return final
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root.glob(".*.tmp"))
        partial = Path(tempfile.mkdtemp(prefix=f".{key}.", suffix=".tmp", dir=root))
    except OSError as error:
        raise PermissionError(
            f"cannot write the cache {root} ({error.strerror}): set cache_dir=<a folder you own>"
        ) from None
    try:
        write(partial)
        _publish(partial, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def _publish(partial: Path, final: Path) -> None:
    try:
        os.rename(partial, final)
    except OSError:
        if not final.exists():  # otherwise another run finished the same folder first; the content is equal
            raise


def _remove_abandoned(partials: Iterable[Path]) -> None:
    """Remove folders that killed runs left behind; a younger one may belong to a run in progress."""
    for partial in partials:
        try:
            abandoned = time.time() - partial.stat().st_mtime > _ABANDONED_AFTER_S
        except FileNotFoundError:
            continue
        if abandoned:
            shutil.rmtree(partial, ignore_errors=True)
