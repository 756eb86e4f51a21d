"""MLflow's SQLite file: made by one process at a time, whole or not at all.

MLflow makes its tables in dozens of steps in the final file. Processes that start together disturb one another there,
and one that is killed leaves a file that no process can use. Here the steps happen under a lock, in a temporary file
that is renamed.
"""

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow.store.db.utils import _initialize_tables
from sqlalchemy import create_engine

from omniretail.core.errors import SettingsError

_PATIENCE = 300
"""Seconds to wait while other processes make or open the file."""


@contextmanager
def made_database(path: Path) -> Iterator[None]:
    """Make the file where it is missing; nobody else makes, migrates or opens it inside the block.

    Args:
        path: of the SQLite file.

    Raises:
        SettingsError: where the file cannot be made, or is no database that MLflow can use.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise SettingsError(f"{path} is locked by another process since {_PATIENCE} s; end that process") from None
    except OSError as error:
        if not path.exists():
            raise SettingsError(_cannot_be_made(path, error)) from None
        yield  # a folder that is only read
        return
    try:
        if not _tables(path):
            _make(path)
        yield
    finally:
        lock.release()


def _tables(path: Path) -> set[str]:
    """Names of the tables; none where the file is missing or empty.

    Raises:
        SettingsError: where the file is no SQLite database, or a part of MLflow's.
    """
    if not path.exists():
        return set()
    try:
        with closing(sqlite3.connect(path, timeout=20)) as database:
            names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise SettingsError(f"{path} is no SQLite database that can be read ({error}); {way_out(path)}") from None
    if ("alembic_version" not in names and names) or any(name.startswith("_alembic_tmp") for name in names):
        raise SettingsError(f"{path} was left unfinished by a process that was killed; {way_out(path)}")
    return names


def way_out(path: Path) -> str:
    """How to go on without the file."""
    return f"restore a copy, or begin a new one after: mv {shlex.quote(str(path))} {shlex.quote(f'{path}.broken')}"


def _make(path: Path) -> None:
    """Make the tables in a temporary file beside ``path`` and rename it."""
    temporary = path.with_name(f".{path.name}.unfinished")
    try:
        for leftover in (temporary, temporary.with_name(f"{temporary.name}-journal")):
            leftover.unlink(missing_ok=True)
        engine = create_engine(f"sqlite:///{temporary}")
        try:
            _initialize_tables(engine)
        finally:
            engine.dispose()
        temporary.replace(path)
    except OSError as error:
        raise SettingsError(_cannot_be_made(path, error)) from None


def _cannot_be_made(path: Path, error: OSError) -> str:
    return f"{path} cannot be made ({error.strerror}); choose another place: tracking.uri=sqlite:////tmp/mlflow.db"
