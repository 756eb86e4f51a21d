"""The command: its table, its exit code, a view of one's own, and mistakes."""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from tests.conftest import ROOT, shop_events

spec = importlib.util.spec_from_file_location("audit_script", ROOT / "scripts" / "audit.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def call(folder: Path, monkeypatch: pytest.MonkeyPatch, *asked: str) -> None:
    monkeypatch.chdir(folder)
    shop_events().to_csv(folder / "log.csv", index=False)
    settings = ["source=csv", "source.path=log.csv", f"tracking.uri=sqlite:///{folder}/runs.db", "cache_dir=cache"]
    monkeypatch.setattr(sys, "argv", ["audit.py", *settings, "views=training,visits,mine", *asked])
    script.main()


def test_a_leak_in_a_view_of_ones_own_is_named_and_the_command_fails(tmp_path, monkeypatch, capsys) -> None:
    with pytest.raises(SystemExit, match="1 of the views leak: mine"):
        call(tmp_path, monkeypatch, "audit.views.mine=tests.audit.factories.visits_ever", 'audit.at=["2024-03-02"]')
    shown = capsys.readouterr().out
    assert "LEAK in mine: visits_ever (36); events removed after 2024-03-02 00:00." in shown
    assert "everything (3 changes)" in shown
    assert "Not audited: visits: this log has no store_id" in shown
    run = MlflowClient(f"sqlite:///{tmp_path}/runs.db").get_run(shown.partition("run_id=")[2].splitlines()[0])
    assert run.data.metrics["leaks"] == 3
    found = pd.read_csv(next(tmp_path.rglob("artifacts/audit/findings.csv")))
    assert set(found.view) == {"training", "visits", "mine"}


def test_a_view_that_holds_passes_with_settings_of_its_own(tmp_path, monkeypatch, capsys) -> None:
    mine = [
        "audit.views.mine._target_=omniretail.audit.audited_views.encoder_input",
        "audit.views.mine.item_columns=[]",
    ]
    call(tmp_path, monkeypatch, *mine, "audit.views.mine.max_items=5", 'audit.at=["2024-03-20"]')
    assert "Nothing after 2024-03-20 00:00 reaches any of 2 views." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["views=training,offres"], "views=offres: there are training, profile_table"),
        (["stage=both"], "stage=both: choose val or test"),
        (["views=training", "model=recommender/popular"], "Popular gives lists, not vectors of customers"),
        (["audit.views.mine=tests.audit.factories.visits_evr"], "visits_evr"),
        (["views=training", "split=leave_last"], "choose split=temporal"),
        (["views=training", 'audit.at=["2025-01-01"]'], "nothing to change"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, asked: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message) as said:
        call(tmp_path, monkeypatch, *asked)
    assert "\n" not in str(said.value)
