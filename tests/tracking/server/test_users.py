"""The admin's password is the environment's, and not the shipped one; the users are in MLflow's own table."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.security import generate_password_hash

from omniretail.tracking.server import ServerError, check_admin, read_settings, set_password
from tests.tracking.server.test_settings import GOOD

QUICK = "pbkdf2:sha256:1"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    return read_settings(GOOD)


def add(name: str, password: str, is_admin: bool = True) -> None:
    with sqlite3.connect("basic_auth.db") as there:
        columns = "id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT, is_admin BOOLEAN"
        there.execute(f"CREATE TABLE IF NOT EXISTS users ({columns})")
        row = (name, generate_password_hash(password, QUICK), is_admin)
        there.execute("INSERT INTO users (username, password_hash, is_admin) VALUES (?, ?, ?)", row)
    there.close()


def refused(settings) -> str:
    with pytest.raises(ServerError) as caught:
        check_admin(settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_new_database_is_for_its_owner_alone(settings) -> None:
    check_admin(settings)
    assert Path("basic_auth.db").stat().st_mode & 0o777 == 0o600


def test_the_admin_that_is_there_has_the_password_given(settings) -> None:
    add("admin", GOOD["MLFLOW_AUTH_ADMIN_PASSWORD"])
    add("anna", "password1234", is_admin=False)
    check_admin(settings)
    assert Path("basic_auth.db").stat().st_mode & 0o777 == 0o600, "made by hand it was for all to read"


def test_an_admin_with_the_shipped_password_stops_the_server(settings) -> None:
    add("boss", GOOD["MLFLOW_AUTH_ADMIN_PASSWORD"])
    add("admin", "password1234")
    message = refused(replace(settings, username="boss"))
    assert "the admin 'admin' in basic_auth.db still has the password that MLflow used to ship" in message
    assert "MLFLOW_AUTH_ADMIN_USERNAME=admin and: python scripts/server.py action=set_password" in message


def test_another_password_stops_the_server_until_it_is_set(settings) -> None:
    add("admin", "an older password")
    assert "'admin' has another password in basic_auth.db" in refused(settings)
    set_password(settings)
    check_admin(settings)


def test_who_is_no_admin_does_not_become_one(settings) -> None:
    add("anna", GOOD["MLFLOW_AUTH_ADMIN_PASSWORD"], is_admin=False)
    assert "'anna' is no admin" in refused(replace(settings, username="anna"))


def test_a_password_is_set_only_for_a_user_that_is_there(settings) -> None:
    with pytest.raises(ServerError, match="no user 'admin'"):
        set_password(settings)
