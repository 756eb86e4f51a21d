"""What several tests share: a small random shop, and the data root where there is one."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import ibis
import numpy as np
import pandas as pd
import pytest
from omegaconf import DictConfig, OmegaConf
from sqlalchemy import Engine

from omniretail.config import compose
from omniretail.core import engine
from omniretail.schema import DatasetCard, Tables

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _engine() -> Iterator[None]:
    yield
    engine.connect().disconnect()
    engine.connect.cache_clear()
    ibis.options.default_backend = None
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _stores_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow makes the tables of the first SQLite store; later ones are copies of it, which saves seconds each."""
    module, made = sys.modules.get("omniretail.tracking.sqlite_file"), tmp_path_factory.mktemp("made") / "mlflow.db"
    if module is None:
        yield
        return
    initialize = module._initialize_tables

    def copied(engine: Engine) -> None:
        if not made.exists():
            initialize(engine)
            shutil.copy(str(engine.url.database), made)
        else:
            shutil.copy(made, str(engine.url.database))

    with patch.object(module, "_initialize_tables", copied):
        yield


@pytest.fixture(scope="session")
def journey_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where The Complete Journey is cached for all tests and workers of this run, as reading it takes seconds."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "journey_cache"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database for all tests of a module, for setting one up takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@cache
def composed(*overrides: str) -> DictConfig:
    """The settings of a run, composed once for all tests that need the same."""
    cfg = compose(*overrides)
    OmegaConf.set_readonly(cfg, True)
    return cfg


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the public files; tests that need one of them carry the marker ``data``."""
    return Path(os.environ.get("OMNIRETAIL_DATA", ROOT / "data"))


def shop_events(n_users: int = 40, n_items: int = 30, n_days: int = 120, seed: int = 0) -> pd.DataFrame:
    """A random log with baskets, repeats, ties in time, and a few users and items that turn up late."""
    rng = np.random.default_rng(seed)
    n_baskets = n_users * 12
    baskets = pd.DataFrame(
        {
            "basket_id": np.arange(n_baskets),
            "user_id": rng.integers(0, n_users, n_baskets),
            "day": np.sort(rng.integers(0, n_days, n_baskets)),
            "size": rng.integers(1, 6, n_baskets),
        }
    )
    events = baskets.loc[baskets.index.repeat(baskets["size"])].drop(columns="size").reset_index(drop=True)
    newest_known = n_items * (0.5 + 0.5 * events.day / n_days)
    events["item_id"] = (rng.beta(0.6, 1.2, len(events)) * newest_known).astype(int)
    events["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(events.day, unit="D")
    late = (events.user_id >= n_users - 3) & (events.day < n_days - 10)
    return events[~late].drop(columns="day").assign(event_type="purchase", channel="offline").reset_index(drop=True)


def tables_of(events: pd.DataFrame, **others: pd.DataFrame) -> Tables:
    """Canonical tables around a log in memory."""
    return Tables(
        DatasetCard("test shop"),
        ibis.memtable(events),
        **{name: ibis.memtable(frame) for name, frame in others.items()},
    )


@pytest.fixture
def shop() -> Tables:
    events = shop_events()
    items = pd.DataFrame({"item_id": np.arange(40)}).assign(category=lambda df: (df.item_id % 5).astype(str))
    return tables_of(events, items=items)
