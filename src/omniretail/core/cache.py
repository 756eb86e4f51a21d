"""The two weirs of the flow: finished folders of Parquet under a key, never half-written ones.

A folder appears by a rename, so a reader sees all of it or nothing, whatever is killed and whoever else writes.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

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


def cached(root: Path, key: str, write: Callable[[Path], None]) -> Path:
    """The folder ``root/key``, made by ``write`` unless it is there already.

    Args:
        root: where folders are kept; made if need be.
        key: hash of everything that the content depends on.
        write: fills the empty folder that it is given.

    Raises:
        PermissionError: where ``root`` cannot be written, with the setting to change.
    """
    final = root / key
    if final.exists():
        return final
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root.glob(".*.tmp"))
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
        if not final.exists():  # otherwise another run finished the same folder first, and its content is equal
            raise


def _sweep(partials: Iterable[Path]) -> None:
    """Remove what killed runs left behind; a younger folder may belong to a run at work."""
    for partial in partials:
        try:
            abandoned = time.time() - partial.stat().st_mtime > _ABANDONED_AFTER_S
        except FileNotFoundError:
            continue
        if abandoned:
            shutil.rmtree(partial, ignore_errors=True)
