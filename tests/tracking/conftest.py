"""A folder of each test's own, without what MLflow and we keep for a user."""

from pathlib import Path

import pytest


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in a folder of its own, with no retries of what does not answer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def local() -> str:
    """The file of this test; MLflow keeps a relative one open across folders."""
    return f"sqlite:///{Path.cwd()}/mlflow.db"
