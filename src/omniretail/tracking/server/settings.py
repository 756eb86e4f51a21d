"""Settings of the server from environment variables; MLflow's own names wherever it has one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

SHIPPED_PASSWORD = "password1234"  # noqa: S105 - of every admin in older versions of MLflow
LEAST_LENGTH = 12
"""Minimum length of a password, in characters; MLflow accepts fewer."""

_A_GOOD_ONE = 'export MLFLOW_AUTH_ADMIN_PASSWORD="$(openssl rand -base64 18)"'


class ServerError(Exception):
    """Why the server does not start: one sentence with the way out."""


@dataclass(frozen=True)
class Settings:
    """All that starting the server needs.

    Attributes:
        username: of the admin.
        password: of the admin.
        backend: SQLAlchemy's address of the database with runs and models.
        artifacts: folder or ``s3://bucket/prefix`` to which the server writes files.
        port: on 127.0.0.1.
        workers: processes that answer; SQLite lets one at a time write.
    """

    username: str
    password: str = field(repr=False)
    backend: str = field(repr=False)
    artifacts: str
    port: int
    workers: int

    @property
    def users(self) -> str:
        """Address of the database of users and permissions: that of the runs, or a file of its own on SQLite."""
        return "sqlite:///basic_auth.db" if self.url.get_backend_name() == "sqlite" else self.backend

    @property
    def url(self) -> URL:
        """The parsed address of the backend."""
        return make_url(self.backend)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Take the settings from environment variables; an empty one counts as unset.

    Raises:
        ServerError: where there is no safe password, or a setting cannot be read.
    """
    values = {name: value for name, value in environment.items() if value}
    if "MLFLOW_AUTH_CONFIG_PATH" in values:
        raise ServerError(
            "MLFLOW_AUTH_CONFIG_PATH is set, but this command writes that file itself; unset it, "
            "or start your own configuration with: mlflow server --app-name basic-auth"
        )
    return Settings(
        values.get("MLFLOW_AUTH_ADMIN_USERNAME", "admin"),
        _password(values.get("MLFLOW_AUTH_ADMIN_PASSWORD", "")),
        _backend(values.get("MLFLOW_BACKEND_STORE_URI", "sqlite:///mlflow.db")),
        _artifacts(values.get("MLFLOW_ARTIFACTS_DESTINATION", "./mlartifacts")),
        _number(values, "MLFLOW_PORT", 5000),
        _number(values, "MLFLOW_WORKERS", 1),
    )


def _password(password: str) -> str:
    if not password:
        fault = "the admin has no password: MLFLOW_AUTH_ADMIN_PASSWORD is not set"
    elif password == SHIPPED_PASSWORD:
        fault = "MLFLOW_AUTH_ADMIN_PASSWORD is the password that MLflow used to ship, which is public"
    elif len(password) < LEAST_LENGTH:
        fault = f"MLFLOW_AUTH_ADMIN_PASSWORD has {len(password)} characters, but at least {LEAST_LENGTH} are required"
    else:
        return password
    raise ServerError(f"{fault}; set a good one, and note it, with: {_A_GOOD_ONE}")


def _backend(uri: str) -> str:
    try:
        kind = make_url(uri).get_backend_name()
    except ArgumentError:
        kind = uri
    if kind not in ("sqlite", "postgresql"):
        raise ServerError(
            f"MLFLOW_BACKEND_STORE_URI names neither SQLite nor PostgreSQL ({kind}); write sqlite:///mlflow.db "
            "or postgresql://user:password@host/database"
        )
    return uri


def _artifacts(place: str) -> str:
    scheme, separator, _ = place.partition("://")
    if separator and scheme not in ("s3", "file"):
        raise ServerError(
            f"MLFLOW_ARTIFACTS_DESTINATION is {place}; write a folder, or s3://bucket/prefix (with "
            "MLFLOW_S3_ENDPOINT_URL for a store of your own)"
        )
    return place


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ServerError(f"{name}={text} is no number between 1 and 65535")
    return int(text)
