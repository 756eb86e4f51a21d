"""What the environment may say of the server, and what it says when it may not."""

import pytest

from omniretail.tracking.server import ServerError, read_settings

GOOD = {"MLFLOW_AUTH_ADMIN_PASSWORD": "correct-horse-battery"}


def refused(**variables: str) -> str:
    with pytest.raises(ServerError) as caught:
        read_settings({**GOOD, **variables})
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_sqlite_and_files_unless_told_otherwise() -> None:
    settings = read_settings({**GOOD, "MLFLOW_PORT": ""})
    assert settings.username == "admin"
    assert settings.backend == "sqlite:///mlflow.db", "where local runs are, which are seen through the server too"
    assert settings.users == "sqlite:///basic_auth.db"
    assert (settings.artifacts, settings.port, settings.workers) == ("./mlartifacts", 5000, 1)


def test_postgresql_and_s3_by_environment() -> None:
    database = "postgresql://team:s3cret@db.example/mlflow"
    variables = {"MLFLOW_BACKEND_STORE_URI": database, "MLFLOW_ARTIFACTS_DESTINATION": "s3://models/team"}
    settings = read_settings({**GOOD, **variables, "MLFLOW_PORT": "5001"})
    assert settings.users == database
    assert (settings.artifacts, settings.port) == ("s3://models/team", 5001)
    assert "s3cret" not in repr(settings)
    assert "horse" not in repr(settings)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", "is not set"),
        ("password1234", "used to ship"),
        ("elevenchars", "has 11 characters, but at least 12 are required"),
    ],
)
def test_passwords_that_are_none(password: str, fault: str) -> None:
    message = refused(MLFLOW_AUTH_ADMIN_PASSWORD=password)
    assert fault in message
    assert "openssl rand" in message
    assert password == "" or f"'{password}'" not in message


def test_settings_that_cannot_be_read_are_named() -> None:
    assert "neither SQLite nor PostgreSQL (mysql)" in refused(MLFLOW_BACKEND_STORE_URI="mysql://a@b/c")
    assert "(runs)" in refused(MLFLOW_BACKEND_STORE_URI="runs")
    assert "write a folder, or s3://bucket/prefix" in refused(MLFLOW_ARTIFACTS_DESTINATION="gs://bucket")
    assert "MLFLOW_PORT=70000 is no number" in refused(MLFLOW_PORT="70000")
    assert "MLFLOW_WORKERS=many is no number" in refused(MLFLOW_WORKERS="many")
    assert "unset it" in refused(MLFLOW_AUTH_CONFIG_PATH="mine.ini")
