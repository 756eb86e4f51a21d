"""The server's users in MLflow's database: is the admin's password the right one, and not the shipped one?

Read by SQL instead of ``mlflow.server.auth``, whose import opens databases.
"""

import os
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from werkzeug.security import check_password_hash, generate_password_hash

from omniretail.tracking.server.checks import connected
from omniretail.tracking.server.settings import SHIPPED_PASSWORD, ServerError, Settings

_AGAIN = "python scripts/server.py action=set_password (gives the admin the password in MLFLOW_AUTH_ADMIN_PASSWORD)"


def check_admin(settings: Settings) -> None:
    """Compare the passwords in the database with the environment; new databases have no users.

    Raises:
        ServerError: where an admin has the shipped password, or the named one another than the environment's.
    """
    _keep_private(settings)
    with connected(settings.users) as connection:
        for name, password_hash, is_admin in _users(connection):
            if is_admin and check_password_hash(password_hash, SHIPPED_PASSWORD):
                raise ServerError(
                    f"the admin '{name}' in {_place(settings)} still has the password that MLflow used to ship, which "
                    f"is public; change it with MLFLOW_AUTH_ADMIN_USERNAME={name} and: {_AGAIN}"
                )
            if name == settings.username and not check_password_hash(password_hash, settings.password):
                raise ServerError(
                    f"'{name}' has another password in {_place(settings)} than in MLFLOW_AUTH_ADMIN_PASSWORD; give "
                    f"that one, or change it with: {_AGAIN}"
                )
            if name == settings.username and not is_admin:
                raise ServerError(f"'{name}' is no admin; name one in MLFLOW_AUTH_ADMIN_USERNAME")


def set_password(settings: Settings) -> None:
    """Give an existing user the password in the environment.

    Raises:
        ServerError: where there is no such user.
    """
    with connected(settings.users) as connection:
        if settings.username not in [name for name, _, _ in _users(connection)]:
            raise ServerError(
                f"there is no user '{settings.username}' in {_place(settings)}; the first start makes the admin: "
                "python scripts/server.py"
            )
        values = {"hash": generate_password_hash(settings.password), "name": settings.username}
        connection.execute(text("UPDATE users SET password_hash = :hash WHERE username = :name"), values)
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
    """Let only the owner read the hashes of passwords."""
    if settings.users != settings.backend:
        path = Path(settings.users.removeprefix("sqlite:///"))
        os.close(os.open(path, os.O_CREAT, 0o600))
        path.chmod(0o600)
