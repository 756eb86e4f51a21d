"""One registry for all tests, as MLflow takes seconds to make one; each test has a model's name of its own."""

import itertools

import pytest
from mlflow import MlflowClient

from omniretail.export import differences
from tests.export.made import kept_runs

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Differences here are wide; more draws would only take longer."""
    monkeypatch.setattr(differences, "_OFFER_DRAWS", 30)
    monkeypatch.setattr(differences, "_PROBE_DRAWS", 30)


@pytest.fixture(scope="session")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder}/mlflow.db"
    MlflowClient(uri, uri).create_experiment("shop", artifact_location=str(folder / "files"))
    return uri


@pytest.fixture(scope="session")
def runs(uri: str) -> dict[str, str]:
    return kept_runs(uri)


@pytest.fixture
def name() -> str:
    return f"grocery-recommender-{next(_NUMBERS)}"
