"""The one way to open a tracking store: a server, a SQLite file or another database."""

import os
import shlex
from pathlib import Path

from alembic.util import CommandError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from omniretail.config import command
from omniretail.core.credentials import hide, remember, reveal
from omniretail.core.errors import SettingsError
from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.live_runs import close_dead_runs
from omniretail.tracking.server_probe import check_address, wrong_server
from omniretail.tracking.sqlite_file import made_database, way_out

LOCAL = "sqlite:///mlflow.db"
_EXAMPLES = f"write {LOCAL}, http://host:5000 or postgresql://user:password@host/database"
_PATIENCE = 5
"""Seconds to wait for a database."""


def open_store(uri: str) -> MlflowClient:
    """The client of a tracking store and of its registry; runs that a killed process left open there are closed.

    Args:
        uri: address, with credentials or as ``hide`` shows it.

    Raises:
        ConnectionError: where a database server cannot be reached; another server is not contacted yet.
        SettingsError: where the address is none, or the file behind it cannot be used.
    """
    real = reveal(uri)
    if "***@" in real or real.endswith("?***"):
        raise SettingsError(f"the credentials in {uri} are not known here; write them, or set MLFLOW_TRACKING_URI")
    scheme = real.partition("://")[0] if "://" in real else ""
    if scheme in ("", "file") and not real.startswith("databricks"):
        _refuse_folder(real)
    if scheme in ("http", "https"):
        check_address(real)
    if scheme.partition("+")[0] in ("sqlite", "postgresql", "mysql", "mssql"):
        client = _database(_parsed(real))
    else:
        client = _client(real)
    close_dead_runs(client, store_name(uri))
    return client


def store_name(uri: str) -> str:
    """What identifies a store on this host: a relative SQLite file by its absolute path."""
    shown = remember(uri)
    path = _sqlite_path(make_url(shown)) if shown.startswith("sqlite") else None
    return str(path.resolve()) if path else shown


def explained(uri: str, error: Exception) -> Exception:
    """What to raise where a store cannot be read: whom it refuses, what answers in its place, or that it is down."""
    if refused := refusal(uri, error):
        return PermissionError(refused)
    return SettingsError(wrong_server(uri) or f"{uri} cannot be reached ({first_line(error)})")


def _client(uri: str) -> MlflowClient:
    try:
        return MlflowClient(uri, uri)
    except MlflowException as error:
        if "unsupported URI" in str(error):
            raise SettingsError(f"{hide(uri)} is no address of a tracking store; {_EXAMPLES}") from None
        raise SettingsError(f"{hide(uri)} cannot be used ({first_line(error)})") from None


def first_line(error: Exception) -> str:
    """The first line of an error, without credentials."""
    return hide(str(error).strip().partition("\n")[0][:160])


def _refuse_folder(uri: str) -> None:
    if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
        return
    move = f"{command('mlflow')} migrate-filestore --source {shlex.quote(uri.removeprefix('file://'))} --target {LOCAL}"
    raise SettingsError(
        f"tracking.uri={uri} is a folder, in which MLflow no longer records runs; {_EXAMPLES}. "
        f"Runs that are in the folder move with: {move}"
    )


def _parsed(uri: str) -> URL:
    try:
        return make_url(uri)
    except ArgumentError:
        raise SettingsError(f"{hide(uri)} is no address of a database; {_EXAMPLES}") from None


def _database(url: URL) -> MlflowClient:
    uri, path = url.render_as_string(hide_password=False), _sqlite_path(url)
    if path is None:
        _connect(url)
        return _checked_client(uri, "")
    with made_database(path):
        return _checked_client(uri, f"; {way_out(path)}")


def _checked_client(uri: str, hint: str) -> MlflowClient:
    """The client of a database whose schema MLflow has checked."""
    try:
        client = MlflowClient(uri, uri)
        client.get_experiment("0")
    except (MlflowException, SQLAlchemyError, CommandError) as error:
        text = first_line(error)
        if "out-of-date database schema" in str(error):
            text = "it was made by another version of MLflow"
            hint = f"; copy it, and bring it up to date with: {command('mlflow')} db upgrade {shlex.quote(hide(uri))}"
        raise SettingsError(f"{hide(uri)} cannot be used ({text}){hint}") from None
    return client


def _sqlite_path(url: URL) -> Path | None:
    """The file; None for a database in memory and for other databases."""
    named = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if named else None


def _connect(url: URL) -> None:
    """Connect once, briefly: MLflow itself repeats for more than a minute.

    Raises:
        ConnectionError: where the database cannot be reached.
        SettingsError: where its driver is not installed.
    """
    shown = hide(url.render_as_string(hide_password=False))
    try:
        limits = {"connect_timeout": _PATIENCE} if url.get_backend_name() in ("postgresql", "mysql") else {}
        engine = create_engine(url, connect_args=limits)
        engine.connect().close()
        engine.dispose()
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{shown} needs {error.name}, which is not installed: pip install 'omniretail[server]'"
        ) from None
    except SQLAlchemyError as error:
        raise ConnectionError(first_line(getattr(error, "orig", None) or error)) from None
