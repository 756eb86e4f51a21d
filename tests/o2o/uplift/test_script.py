import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail.config import compose
from omniretail.report import read_csv, with_table
from omniretail.report.tables.uplift_over_seeds import TRUE, add_world, of_world, worlds_cells, worlds_markdown
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
    (tmp_path / "README.md").write_text("# Worlds\n<!-- table:start -->\n<!-- table:end -->\n")
    call(
        tmp_path, monkeypatch, "source.n_customers=400", "source.n_weeks=14", "learners=chance,response", "experiment=."
    )
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
    results, text = read_csv(tmp_path / "results.csv"), (tmp_path / "README.md").read_text()
    assert results.qini.to_dict() == rankings.set_index("ranking").qini.to_dict()
    assert with_table(text, results) == text


def test_worlds_add_up_to_an_experiments_table(tmp_path):
    results = tmp_path / "results.csv"
    for world, qini in ((3, 0.9), (2, 0.01), (3, 0.03)):  # world 3 is made anew
        ranked = pd.DataFrame({"ranking": [TRUE, "XLearner", "Response"], "qini": [0.04, qini, 0.02], "auuc": 0.05})
        ranked = ranked.assign(qini_low=0.0, qini_high=1.0, uplift_at_10=0.1)
        sent = pd.DataFrame({"ranking": ranked.ranking, "share": 0.1, "buy_anyway": [40.0, 45, 90], "because": 10.0})
        add_world(of_world(world, ranked, pd.concat([sent, sent.assign(share=0.2)]), 100), results)
    table = read_csv(results)
    assert table.world.tolist() == [2, 2, 2, 3, 3, 3]
    cells = worlds_cells(table).set_index("ranking")
    assert cells.index.tolist() == [TRUE, "Response", "XLearner"]
    row = cells.loc["XLearner"]
    assert row["Qini, per 100"] == "2.00 ± 1.41"
    assert row["of the true effect's"] == "50 % (25 % to 75 %)"
    assert (row["would have bought anyway"], row["ahead of response"]) == ("45.0 ± 0.0", "1 of 2")
    assert "2 simulated worlds (seeds 2, 3), 100 to 100 customers" in worlds_markdown(table)


def test_worlds_are_those_of_a_simulation(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="take source=simulate"):
        script._add_world(tmp_path, compose("source=complete_journey"), None, None, 0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["stage=both"], "stage=both: choose val or test"),
        (["source.n_weeks=9"], "1 campaigns are over"),
        (["source.n_weeks=9", "stage=val"], "1 campaigns are over"),
        (["source.n_weeks=10", "stage=val"], "stage=val: no campaign was over when the one to judge by began"),
        (["source.n_weeks=14", "source.sent_share=1"], "everybody was treated"),
        (["source.n_weeks=14", "source.sent_share=0"], "0 campaigns are over"),
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


def test_a_model_that_can_be_served_is_kept_and_tells_uplift(tmp_path, monkeypatch, capsys):
    from omniretail.registry.register import register
    from omniretail.serving.load_registered import load_registered

    call(tmp_path, monkeypatch, "source.n_customers=400", "source.n_weeks=14", "learners=two_forests")
    run_id = capsys.readouterr().out.partition("run_id=")[2].splitlines()[0]
    uri = f"sqlite:///{tmp_path}/runs.db"
    assert register(uri, run_id, "coupons") == "1"
    service = load_registered(uri, "models:/coupons/1").service
    said = service.predict(service.example())
    assert said.probability.between(0, 1).all()
    assert said.uplift.between(-1, 1).all()
    assert "| qini |" in MlflowClient(uri).get_model_version("coupons", "1").description
