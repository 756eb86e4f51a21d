"""Requirements of the server, checked before it starts: packages, the port, the database, the bucket."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from omniretail.core.errors import SettingsError
from omniretail.tracking.server.settings import ServerError, Settings
from omniretail.tracking.sqlite_file import made_database

_PATIENCE = 5
"""Seconds to wait for a database or a bucket."""


def check(settings: Settings) -> None:
    """Check that the server can start.

    Raises:
        ServerError: naming what is missing, and the way out.
    """
    _require("flask_wtf", "passwords")
    _free(settings.port)
    if settings.url.get_backend_name() == "postgresql":
        _require(settings.url.get_dialect().driver, "PostgreSQL")
    with connected(settings.backend):
        pass
    if settings.url.get_backend_name() == "sqlite" and settings.url.database:
        _make_file(Path(settings.url.database))
    if settings.artifacts.startswith("s3://"):
        _require("boto3", "S3")
        _bucket(settings.artifacts)


@contextmanager
def connected(uri: str) -> Iterator[Connection]:
    """A connection to a database, closed at the end of the block.

    Raises:
        ServerError: where it cannot be reached.
    """
    url = make_url(uri)
    limits = {"connect_timeout": _PATIENCE} if url.get_backend_name() == "postgresql" else {}
    engine = create_engine(url, connect_args=limits)
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        shown = url.render_as_string(hide_password=True)
        raise ServerError(
            f"the database {shown} cannot be reached ({_reason(error)}); is it running, and is "
            "MLFLOW_BACKEND_STORE_URI right?"
        ) from None
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


def _make_file(path: Path) -> None:
    """Make MLflow's file before the server does, which leaves it broken where it is killed meanwhile."""
    try:
        with made_database(path):
            pass
    except SettingsError as error:
        raise ServerError(str(error)) from None


def _require(package: str, what: str) -> None:
    if find_spec(package) is None:
        raise ServerError(f"{what} need {package}, which is not installed; pip install 'omniretail[server]'")


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as uvicorn does: a port that was just released is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"port {port} on 127.0.0.1 cannot be used ({error.strerror}); stop what listens there, or choose "
                "another: MLFLOW_PORT=5001"
            ) from None


def _bucket(place: str) -> None:
    import boto3  # here, since it is not installed where files stay on this machine
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    name = place.removeprefix("s3://").partition("/")[0]
    quick = Config(connect_timeout=_PATIENCE, read_timeout=_PATIENCE, retries={"total_max_attempts": 1})
    try:
        endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None
        boto3.client("s3", endpoint_url=endpoint, config=quick).head_bucket(Bucket=name)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise ServerError(
            f"the bucket {name} cannot be used ({_reason(error)}); check MLFLOW_ARTIFACTS_DESTINATION, "
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a store of your own, MLFLOW_S3_ENDPOINT_URL"
        ) from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:160]
