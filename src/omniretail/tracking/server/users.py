"""The server's own users, as MLflow keeps them: does the admin's password hold, and is it one that everybody knows?

Read by SQL and not through ``mlflow.server.auth``, whose import opens databases.
"""

import os
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from werkzeug.security import check_password_hash, generate_password_hash

from omniretail.tracking.server.checks import connected
from omniretail.tracking.server.settings import SHIPPED_PASSWORD, ServerError, Settings

_AGAIN = "python scripts/server.py --set-password (gives the admin the password in MLFLOW_AUTH_ADMIN_PASSWORD)"


def check_admin(settings: Settings) -> None:
    """Hold the passwords of the users there are against what the environment says; new databases have none.

    Raises:
        ServerError: where an admin has the shipped password, or the named one another than the environment's.
    """
    _keep_private(settings)
    with connected(settings.users) as connection:
        for name, kept, is_admin in _users(connection):
            if is_admin and check_password_hash(kept, SHIPPED_PASSWORD):
                raise ServerError(
                    f"the admin '{name}' in {_place(settings)} still has the password that MLflow used to ship, which "
                    f"everybody knows; change it with MLFLOW_AUTH_ADMIN_USERNAME={name} and: {_AGAIN}"
                )
            if name == settings.username and not check_password_hash(kept, settings.password):
                raise ServerError(
                    f"'{name}' has another password in {_place(settings)} than in MLFLOW_AUTH_ADMIN_PASSWORD; give "
                    f"that one, or change it with: {_AGAIN}"
                )
            if name == settings.username and not is_admin:
                raise ServerError(f"'{name}' is no admin; name one in MLFLOW_AUTH_ADMIN_USERNAME")


def set_password(settings: Settings) -> None:
    """Give a user that there is the environment's password.

    Raises:
        ServerError: where there is no such user.
    """
    with connected(settings.users) as connection:
        if settings.username not in [name for name, _, _ in _users(connection)]:
            raise ServerError(f"there is no user '{settings.username}' in {_place(settings)}; leave out --set-password")
        kept = {"kept": generate_password_hash(settings.password), "name": settings.username}
        connection.execute(text("UPDATE users SET password_hash = :kept WHERE username = :name"), kept)
        connection.commit()


def _users(connection: Connection) -> list[tuple[str, str, bool]]:
    """Name, hash of the password, admin or not."""
    if not inspect(connection).has_table("users"):
        return []
    rows = connection.execute(text("SELECT username, password_hash, is_admin FROM users ORDER BY id"))
    return [(row.username, row.password_hash, bool(row.is_admin)) for row in rows]


def _place(settings: Settings) -> str:
    return settings.users.removeprefix("sqlite:///") if settings.users != settings.backend else "the database"


def _keep_private(settings: Settings) -> None:
    """Hashes of passwords are nobody else's to read."""
    if settings.users != settings.backend:
        path = Path(settings.users.removeprefix("sqlite:///"))
        os.close(os.open(path, os.O_CREAT, 0o600))
        path.chmod(0o600)
