"""scripts/propensity.py: the page, the table, the run, and what it says when it cannot."""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from tests.conftest import ROOT
from tests.profile.probing.factories import CUTOFF, items, log

spec = importlib.util.spec_from_file_location("propensity_script", ROOT / "scripts" / "propensity.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log on disk, which also holds the runs, the cache and the reports."""
    folder = tmp_path_factory.mktemp("shop")
    log().merge(items(), on="item_id").to_csv(folder / "log.csv", index=False)
    return folder


def call(folder: Path, monkeypatch: pytest.MonkeyPatch, *asked: str) -> None:
    names = ("user_id", "item_id", "timestamp", "basket_id", "value")
    settings = ["source=csv", "source.path=log.csv", *(f"source.columns.{name}={name}" for name in names)]
    settings += [f"tracking.uri=sqlite:///{folder}/runs.db", "cache_dir=cache", "probes.protocol.n_seeds=1"]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["propensity.py", *settings, *asked])
    script.main()


def refused(folder: Path, monkeypatch: pytest.MonkeyPatch, *asked: str) -> str:
    with pytest.raises(SystemExit) as caught:
        call(folder, monkeypatch, *asked)
    said = str(caught.value)
    assert said.startswith("error: ")
    assert "\n" not in said
    return said


def test_page_table_and_run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    call(folder, monkeypatch, "model=profile/svd", "model.dim=4")
    shown = capsys.readouterr().out
    for words in ("CountSVD: ", "churn", "expected spend", "own rate"):
        assert words in shown
    said = dict(line.split("=", 1) for line in shown.splitlines() if line.startswith(("page=", "run_id=")))
    page = folder / said["page"]
    assert "[2024-06-03, 2024-07-01)" in page.read_text(), "judged on the last 28 days"
    table = pd.read_parquet(page.with_suffix(".parquet"))
    events = log()
    assert len(table) == events[events.timestamp < CUTOFF].user_id.nunique()
    assert table.p_churn.between(0, 1).all()
    assert table.expected_spend.min() >= 0
    client = MlflowClient(f"sqlite:///{folder}/runs.db")
    run = client.get_run(said["run_id"])
    metrics = run.data.metrics
    figures = ("brier", "ece", "log_loss")
    keys = [f"test/churn/{name}{part}" for name in figures for part in ("", "_before")]
    keys += ["test/churn/auc", "test/spend/mae", "test/spend/mae_before", "test/spend/mae_own_rate", "test/ask_s"]
    assert set(keys) <= metrics.keys()
    assert run.data.params["model"] == "CountSVD"
    kept = {each.name for each in folder.rglob("artifacts/propensity/*")}
    assert kept == {"figures.parquet", page.name, page.with_suffix(".parquet").name}


def test_the_table_is_the_encoder_unless_one_is_named():
    assert script.with_model(["source=csv"]) == ["model=profile/table", "source=csv"]
    for given in (["model=profile/svd"], ["+model=mine", "a=b"]):
        assert script.with_model(given) == given


def test_a_recommender_is_no_encoder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    said = refused(folder, monkeypatch, "model=recommender/popular")
    assert said == "error: Popular gives lists, not vectors of customers; choose a profile such as model=profile/table"


def test_splits_by_position_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    assert "choose split=temporal" in refused(folder, monkeypatch, "split=leave_last")


def test_a_log_too_short_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    assert "three windows of 90 days" in refused(folder, monkeypatch, "split.horizon_days=90")


def test_words_that_hydra_does_not_know(folder: Path, monkeypatch: pytest.MonkeyPatch):
    assert "sauce" in refused(folder, monkeypatch, "sauce=csv")


def test_help_shows_how(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys, "argv", ["propensity.py", "--help"])
    script.main()
    assert "python scripts/propensity.py source=" in capsys.readouterr().out
