"""Whole runs of the five tasks on a small simulated retailer: golden metrics, tables, pages, and what is registered."""

from pathlib import Path

import pandas as pd
import pytest

from omniretail.result import Result
from omniretail.sweep import compare
from tests.o2o.golden import SIMULATED, runs_match_golden

TWO_WEEKS = "split.horizon_days=14"
QUICK = ("evaluate=[test]", "task.min_buyers=20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of all runs, since data and tracking store take seconds to set up."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(autouse=True)
def _own_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def golden(task: str, folder: Path, *overrides: str) -> list[Result]:
    """The test results of the task's models, after comparison with ``tests/golden/<task>.json``."""
    return [results[-1] for results in runs_match_golden(task, folder, *SIMULATED, TWO_WEEKS, *overrides)]


def table(folder: Path, result: Result, name: str) -> pd.DataFrame:
    """A table that a run recorded."""
    (path,) = folder.rglob(f"{result.run_id}/artifacts/results/test/{name}.parquet")
    return pd.read_parquet(path)


def test_probing(folder: Path) -> None:
    results = golden("probing", folder, *QUICK, "task.probes.n_seeds=2", "task.n_folds=2")
    (compared,) = compare(f"sqlite:///{folder}/mlflow.db", [each.run_id for each in results], "test")
    assert compared.table.index.tolist() == ["ProfileTable", "Random"]
    assert compared.table.loc["Random", "p_best"] < 0.001
    assert compared.table.loc["Random", "churn/auc_p"] < 0.05
    predictions = table(folder, results[0], "predictions")
    assert set(predictions.question) >= {"churn", "spend", "category_propensity"}
    assert "ProfileTable knows about customers" in next(folder.glob("reports/*probing_ProfileTable*.html")).read_text()
    assert list(folder.rglob("models/*/artifacts/probes.json"))


def test_propensity(folder: Path) -> None:
    results = golden("propensity", folder, *QUICK, "task=propensity", "task.probes.n_seeds=1")
    (compared,) = compare(f"sqlite:///{folder}/mlflow.db", [each.run_id for each in results], "test")
    assert compared.table.index[0] == "ProfileTable"
    assert compared.table.loc["Random", "p_best"] < 0.05, "paired over customers"
    assert table(folder, results[0], "propensities").p_churn.between(0, 1).all()
    assert "Before and after calibration" in next(folder.glob("reports/*propensity_ProfileTable*.html")).read_text()


def test_segmentation(folder: Path) -> None:
    (result,) = golden("segmentation", folder, "task=segmentation", "evaluate=[test]")
    assert len(table(folder, result, "customers")) == result.counts["customers"]
    assert "What distinguishes " in next(folder.glob("reports/*segmentation*.html")).read_text()


def test_tags(folder: Path) -> None:
    (result,) = golden("tags", folder, "task=tags", "evaluate=[test]")
    assert table(folder, result, "tags").tag.tolist() == [name.removesuffix("/share") for name in result.per_unit]
    assert "Still tagged" in next(folder.glob("reports/*tags*.html")).read_text()


def test_lifetime(folder: Path) -> None:
    results = golden("lifetime", folder)
    (compared,) = compare(f"sqlite:///{folder}/mlflow.db", [each.run_id for each in results], "test")
    assert compared.report.baseline in compared.table.index
    assert compared.table.p_baseline.notna().sum() == 2
    assert len(table(folder, results[0], "predictions")) == results[0].counts["customers"]
    assert "Fitted parameters" in next(folder.glob("reports/*lifetime_BG*.html")).read_text()
