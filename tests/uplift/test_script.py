import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from tests.conftest import ROOT, shop_events

spec = importlib.util.spec_from_file_location("uplift_script", ROOT / "scripts" / "uplift.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def call(folder: Path, monkeypatch, *asked: str) -> None:
    settings = [f"tracking.uri=sqlite:///{folder}/runs.db", f"cache_dir={folder}/cache"]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["uplift.py", *settings, *asked])
    script.main()


def test_page_figures_and_truth(tmp_path, monkeypatch, capsys):
    call(tmp_path, monkeypatch, "source.n_customers=400", "source.n_weeks=14", "learners=chance,response")
    shown = capsys.readouterr().out
    assert "Synthetic: every event was drawn by a program" in " ".join(shown.split())
    page = tmp_path / shown.partition("page=")[2].splitlines()[0]
    for words in (
        "the true effect",
        "Chance",
        "Response",
        "Synthetic",
        "Terms: made by this program",
        "would have anyway",
        "<svg",
    ):
        assert words in page.read_text()
    run_id = shown.partition("run_id=")[2].splitlines()[0]
    metrics = MlflowClient(f"sqlite:///{tmp_path}/runs.db").get_run(run_id).data.metrics
    assert metrics["test/the_true_effect/qini"] > metrics["test/Chance/qini"]
    assert abs(metrics["test/balance_auc"] - 0.5) < 0.15
    rankings = pd.read_csv(next(tmp_path.rglob("artifacts/uplift/rankings.csv")))
    assert rankings.ranking.tolist()[0] == "the true effect"
    assert np.isfinite(rankings.select_dtypes("number")).all().all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["stage=both"], "stage=both: choose val or test"),
        (["source.n_weeks=9"], "1 campaigns are over"),
        (["source.n_weeks=9", "stage=val"], "1 campaigns are over"),
        (["source.n_weeks=10", "stage=val"], "stage=val: no campaign was over when the one to judge by began"),
        (["source.n_weeks=14", "source.sent_share=1"], "everybody was treated"),
        (["source.n_weeks=14", "learners=z_learner"], "z_learner"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, asked, message):
    with pytest.raises(SystemExit, match=message) as said:
        call(tmp_path, monkeypatch, "source.n_customers=200", *asked)
    assert "\n" not in str(said.value)


def test_a_log_without_offers_is_said(tmp_path, monkeypatch):
    shop_events(n_users=5).to_csv(tmp_path / "log.csv", index=False)
    with pytest.raises(SystemExit, match="has no offers with dates"):
        call(tmp_path, monkeypatch, "source=csv", "source.path=log.csv")
