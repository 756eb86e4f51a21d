"""One sentence for each thing that is not there."""

import socket
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from omniretail.tracking.server import ServerError, check, read_settings
from omniretail.tracking.server import checks as module
from tests.tracking.server.test_settings import GOOD

NOBODY = 9  # the discard port: nothing listens there


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "find_spec", lambda name: "there")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return read_settings({**GOOD, "MLFLOW_PORT": str(port)})


def refused(settings) -> str:
    with pytest.raises(ServerError) as caught:
        check(settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_nothing_is_missing(settings) -> None:
    check(settings)


def test_the_port_is_taken(settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        message = refused(replace(settings, port=other.getsockname()[1]))
    assert "cannot be used (Address already in use)" in message
    assert "MLFLOW_PORT=5001" in message


@pytest.mark.parametrize(
    ("package", "changed"),
    [
        ("flask_wtf", {}),
        ("psycopg", {"backend": "postgresql://team@127.0.0.1/mlflow"}),
        ("psycopg2", {"backend": "postgresql+psycopg2://team@127.0.0.1/mlflow"}),
        ("boto3", {"artifacts": "s3://models"}),
    ],
)
def test_a_package_is_missing(settings, monkeypatch: pytest.MonkeyPatch, package: str, changed: dict[str, str]) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == package else "there")
    message = refused(replace(settings, **changed))
    assert f"need {package}, which is not installed" in message
    assert "pip install 'omniretail[server]'" in message


def test_sqlite_cannot_be_opened(settings) -> None:
    message = refused(replace(settings, backend="sqlite:///no/such/folder/mlflow.db"))
    assert "sqlite:///no/such/folder/mlflow.db cannot be reached (unable to open database file)" in message


@pytest.mark.skipif(find_spec("psycopg") is None, reason="psycopg is not installed")
def test_postgresql_is_down_and_its_password_is_not_shown(settings) -> None:
    message = refused(replace(settings, backend=f"postgresql://team:s3cret@127.0.0.1:{NOBODY}/mlflow"))
    assert f"the database postgresql://team:***@127.0.0.1:{NOBODY}/mlflow cannot be reached" in message
    assert "refused" in message
    assert "s3cret" not in message


@pytest.mark.skipif(find_spec("boto3") is None, reason="boto3 is not installed")
def test_the_bucket_cannot_be_reached(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{NOBODY}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    message = refused(replace(settings, artifacts="s3://models/team"))
    assert "the bucket models cannot be used" in message
    assert f'"http://127.0.0.1:{NOBODY}/models"' in message
    assert "MLFLOW_S3_ENDPOINT_URL" in message


def test_the_file_of_runs_is_whole_before_the_server_starts(settings, tmp_path: Path) -> None:
    check(settings)
    place = tmp_path / "mlflow.db"
    assert place.stat().st_size > 100_000
    place.write_text("garbage")
    assert "mlflow.db is no SQLite database that can be read" in refused(settings)
