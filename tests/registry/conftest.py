"""Registries for all tests, as MLflow takes seconds to make one: of made-up runs, and of a small shop's run."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from omniretail.config import compose
from omniretail.registry import promotion
from omniretail.registry.latency import Latency
from omniretail.registry.register import register
from omniretail.run import run
from tests.conftest import shop_events
from tests.registry.factories import recorded_runs

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder}/mlflow.db"
    MlflowClient(uri, uri).create_experiment("shop", artifact_location=str(folder / "files"))
    return uri


@pytest.fixture(scope="session")
def runs(uri: str) -> dict[str, str]:
    return recorded_runs(uri)


@pytest.fixture(autouse=True)
def _latency(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions made of results alone have no files: each answers in 5 ms."""

    def measured(uri: str, name: str, candidate: str, champion: str = "") -> Latency:
        return Latency(5.0, 5.0, 5.0 if champion else None)

    monkeypatch.setattr(promotion, "measured_latency", measured)


@pytest.fixture
def name() -> str:
    return f"grocery-recommender-{next(_NUMBERS)}"


@dataclass(frozen=True)
class Registered:
    """Where the small shop's model is registered, as ``shop``, version 1."""

    uri: str
    run_id: str
    folder: Path
    settings: list[str]

    def run(self, *more: str) -> str:
        """Another run on the same log; its id is returned."""
        return run(compose(*self.settings, *more))[0].run_id


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    folder = tmp_path_factory.mktemp("registry")
    log = folder / "log.csv"
    shop_events().to_csv(log, index=False)
    uri = f"sqlite:///{folder}/mlflow.db"
    columns = [f"source.columns.{name}={name}" for name in ("user_id", "item_id", "timestamp", "basket_id")]
    where = [
        f"tracking.uri={uri}",
        f"cache_dir={folder}/cache",
        "split.horizon_days=14",
        f"report.html={folder}/report.html",
    ]
    settings = ["source=csv", f"source.path={log}", *columns, *where]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # files of runs lie beside the store
        run_id = run(compose(*settings, "model=recommender/ease", "evaluate=[test]"))[0].run_id
        register(uri, run_id, "shop")
    return Registered(uri, run_id, folder, settings)
