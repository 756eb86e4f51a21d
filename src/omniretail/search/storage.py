"""The database of studies: SQLite on this machine, or PostgreSQL for several."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from omniretail.core.credentials import hide, remember, reveal
from omniretail.core.errors import SettingsError

optuna.logging.set_verbosity(optuna.logging.WARNING)
log = logging.getLogger(__name__)

HEARTBEAT_S = 30
"""Seconds between signs of life of a trial."""
_PATIENCE_S = 20
"""Seconds to wait for a database that another program holds."""
_OTHER = "search.storage=sqlite:///other.db"


def open_storage(address: str, on_lost: Callable[[Study, FrozenTrial], None] | None = None) -> RDBStorage:
    """The database, made where there is none.

    Args:
        address: such as ``sqlite:///cache/search.db`` or ``postgresql://user:password@host/database``.
        on_lost: called with a trial of another machine that sends no sign of life any more.

    Raises:
        SettingsError: where it is no address, or the database is locked, cannot be reached or is none of Optuna's.
    """
    real = reveal(address)
    try:
        url = make_url(real)
    except ArgumentError:
        raise SettingsError(
            f"search.storage={hide(address)} is no address of a database; write {_OTHER} or "
            "search.storage=postgresql://user:password@host/database"
        ) from None
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database:
        _make_folder(Path(url.database), address)
    with reachable(address):
        return _opened(url, address, on_lost)


def _opened(url: URL, address: str, on_lost: Callable[[Study, FrozenTrial], None] | None) -> RDBStorage:
    sqlite = url.get_backend_name() == "sqlite"
    limits = {"timeout": _PATIENCE_S} if sqlite else {"connect_timeout": _PATIENCE_S}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ExperimentalWarning)  # of heartbeats
            return RDBStorage(
                url.render_as_string(hide_password=False),
                engine_kwargs={"connect_args": limits, "pool_pre_ping": not sqlite},
                heartbeat_interval=HEARTBEAT_S,
                grace_period=4 * HEARTBEAT_S,
                heartbeat_stale_trial_callback=on_lost,
            )
    except (ImportError, NoSuchModuleError) as error:
        raise SettingsError(
            f"search.storage={_shown(address)} needs a driver that is not installed ({error}): pip install "
            "'omniretail[server]' for PostgreSQL"
        ) from None
    except RuntimeError as error:
        if "table schema" not in str(error):
            raise
        raise SettingsError(
            f"{_shown(address)} was made by another version of Optuna; bring it up to date with: optuna storage "
            f"upgrade --storage {_shown(address)}, or set {_OTHER}"
        ) from None


def require_file(address: str) -> None:
    """Refuse a SQLite database that was deleted or moved: an open connection would go on writing into nothing.

    Raises:
        SettingsError: where the file is gone.
    """
    url = make_url(reveal(address))
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise SettingsError(
            f"search.storage={address} is gone; put the file back and run the command again, which goes on, "
            "or run it again without, which begins anew"
        )


@contextmanager
def reachable(address: str) -> Iterator[None]:
    """Explain in a sentence where the database fails inside the block.

    Raises:
        SettingsError: naming the way out.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        raise SettingsError(_explained(address, error)) from error


def _explained(address: str, error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    text = hide(str(getattr(cause, "orig", None) or cause).strip().partition("\n")[0][:160])
    shown = _shown(address)
    if "locked" in text:
        return (
            f"search.storage={shown} has been locked by another program for {_PATIENCE_S} s; end that program and run "
            f"the command again, which goes on where it was, or set {_OTHER}"
        )
    if "not a database" in text:
        return f"search.storage={shown} is a file of another kind, no SQLite database; set {_OTHER}"
    return (
        f"search.storage={shown} cannot be used ({text}); run the command again when it is back, which goes on where "
        f"it was, or set {_OTHER}"
    )


def _shown(address: str) -> str:
    return remember(address)


def _make_folder(path: Path, address: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"search.storage={address}: {path.parent} cannot be made ({error.strerror}); set {_OTHER}"
        ) from None
