"""A small log of one's own, and settings of a search on it."""

from functools import cache
from pathlib import Path

import hydra
import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from omniretail.config import CONFIGS
from omniretail.search.search import Search
from tests.conftest import shop_events

STORAGE = "sqlite:///search.db"


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the log is cached for all tests of a module."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def own_folder(tmp_path: Path, cache_dir: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in a folder of its own, with a log in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("OMNIRETAIL_CACHE", str(cache_dir))
    shop_events().to_csv("log.csv", index=False)


def searched(*overrides: str, model: str = "recommender/ease") -> Search:
    """A search of the log, for which nothing is tuned."""
    words = [f"model={model}", "source=csv", "source.path=log.csv", f"search.storage={STORAGE}"]
    cfg = OmegaConf.create(composed_search(*words))  # composed once for all tests
    for each in ("search.n_trials=4", "search.seeds=0", *overrides):
        name, _, value = each.partition("=")
        OmegaConf.update(cfg, name, yaml.safe_load(value))
    return Search(cfg, cfg, model)


@cache
def composed_search(*overrides: str) -> DictConfig:
    """Settings as ``scripts/search.py`` has them."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("search", overrides=list(overrides))
