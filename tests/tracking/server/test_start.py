"""How MLflow is started, without starting it; test_running.py does."""

import configparser
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from omniretail.commands import server
from omniretail.tracking.server import announcement, read_settings
from omniretail.tracking.server.start import command, environment, write_config
from tests.tracking.server.test_settings import GOOD

DATABASE = "postgresql://team:100%25s3cret@db.example/mlflow"
SETTINGS = read_settings({**GOOD, "MLFLOW_BACKEND_STORE_URI": DATABASE, "MLFLOW_PORT": "5001"})


def test_bound_to_this_machine_with_passwords_on_and_no_secret_among_the_words() -> None:
    words = command(SETTINGS)
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--app-name") + 1] == "basic-auth"
    assert words[words.index("--port") + 1] == "5001"
    assert not [word for word in words if "s3cret" in word or "horse" in word]


def test_the_environment_cannot_lower_the_guard() -> None:
    given = {
        "PATH": "/bin",
        "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
        "MLFLOW_BASIC_AUTH_FAIL_CLOSED": "false",
        "MLFLOW_AUTH_CONFIG_PATH": "",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow.example.org",
    }
    there = environment(SETTINGS, Path("/private/auth.ini"), given)
    assert there["MLFLOW_AUTH_CONFIG_PATH"] == "/private/auth.ini"
    assert there["MLFLOW_BACKEND_STORE_URI"] == DATABASE
    assert there["MLFLOW_SERVER_ALLOWED_HOSTS"] == "mlflow.example.org", "for a proxy"
    assert "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE" not in there
    assert "MLFLOW_BASIC_AUTH_FAIL_CLOSED" not in there
    assert len(there["MLFLOW_FLASK_SERVER_SECRET_KEY"]) == 64
    again = environment(SETTINGS, Path("/private/auth.ini"), given)
    assert there["MLFLOW_FLASK_SERVER_SECRET_KEY"] != again["MLFLOW_FLASK_SERVER_SECRET_KEY"]


def test_the_config_is_for_its_owner_alone_and_says_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "auth.ini"
    write_config(SETTINGS, path)
    assert path.stat().st_mode & 0o777 == 0o600
    read = configparser.ConfigParser()
    read.read(path)
    assert dict(read["mlflow"]) == {"default_permission": "NO_PERMISSIONS", "database_uri": DATABASE}
    assert "horse" not in path.read_text(), "the admin's password goes by the environment alone"


def test_the_announcement_says_what_to_set_and_no_secret() -> None:
    message = announcement(replace(SETTINGS, username="boss"))
    assert "export MLFLOW_TRACKING_URI=http://127.0.0.1:5001\n" in message
    assert "export MLFLOW_TRACKING_USERNAME=boss\n" in message
    assert "postgresql://team:***@db.example/mlflow" in message
    assert "s3cret" not in message
    assert "horse" not in message


def test_the_script_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_PASSWORD", "password1234")
    for words, message in (
        ([], "MLFLOW_AUTH_ADMIN_PASSWORD is the password that MLflow used to ship"),
        (["--set-password"], "settings are written name=value: python scripts/server.py action=set_password"),
        (["action=stop"], "action=stop is none of start, set_password"),
    ):
        monkeypatch.setattr(sys, "argv", ["server.py", *words])
        with pytest.raises(SystemExit, match=f"^error: {message}"):
            server.main()
