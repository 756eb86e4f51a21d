"""The commit of a run is that of this code, or none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from omniretail.tracking import provenance as module
from omniretail.tracking.provenance import provenance


def repository(folder: Path) -> str:
    """Somebody's repository with one commit; its id."""
    folder.mkdir(parents=True, exist_ok=True)

    def git(*words: str) -> str:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init")
    (folder / "notes").write_text("of somebody else")
    git("add", "notes")
    git("commit", "-m", "first")
    return git("rev-parse", "HEAD").strip()


def test_a_package_installed_inside_another_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path)
    installed = tmp_path / ".venv" / "omniretail" / "tracking" / "provenance.py"
    installed.parent.mkdir(parents=True)
    shutil.copy(str(module.__file__), installed)
    monkeypatch.setattr(module, "__file__", str(installed))
    assert not {"mlflow.source.git.commit", "git_dirty"} & set(provenance())


def test_a_run_from_a_hook_of_another_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = provenance()["mlflow.source.git.commit"]
    other = repository(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert provenance()["mlflow.source.git.commit"] == own != other


def test_the_command_holds_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "tracking.uri=http://anna:s3cret@host"])
    assert provenance()["command"] == "python train.py tracking.uri=http://***@host"
