"""One folder for whole runs of all tests here, since data and tracking store take seconds to set up."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def o2o_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("o2o")


@pytest.fixture
def runs(o2o_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of whole runs, with ``cache`` and ``mlflow.db``."""
    monkeypatch.chdir(o2o_folder)
    return o2o_folder
