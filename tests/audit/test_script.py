"""The command: its table, its exit code, a view of one's own, Hydra's habits, and mistakes."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail.commands.audit import main
from tests.commands import command
from tests.conftest import shop_events


def call(folder: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> None:
    monkeypatch.chdir(folder)
    shop_events().to_csv(folder / "log.csv", index=False)
    settings = ["source=csv", "source.path=log.csv", f"tracking.uri=sqlite:///{folder}/runs.db", "cache_dir=cache"]
    monkeypatch.setattr(sys, "argv", ["audit.py", *overrides, *settings])
    main()


def test_a_leak_in_a_view_of_ones_own_is_named_and_the_command_fails(tmp_path, monkeypatch, capsys) -> None:
    mine = "audit.views.mine=tests.audit.factories.visits_ever"
    with pytest.raises(SystemExit, match="1 of the views leak: mine"):
        call(tmp_path, monkeypatch, "audit.only=[training,visits,mine]", mine, "audit.at=[2024-03-02]")
    shown = capsys.readouterr().out
    assert "LEAK in mine: visits_ever (36); events removed after 2024-03-02 00:00." in shown
    assert "everything (3 changes)" in shown
    assert "Not audited: visits: this log has no store_id" in shown
    run = MlflowClient(f"sqlite:///{tmp_path}/runs.db").get_run(shown.partition("run_id=")[2].splitlines()[0])
    assert run.data.metrics["leaks"] == 3
    findings = pd.read_csv(next(tmp_path.rglob("artifacts/audit/findings.csv")))
    assert set(findings.view) == {"training", "visits", "mine"}


@pytest.mark.slow
def test_a_view_that_holds_passes_with_settings_of_its_own(tmp_path, monkeypatch, capsys) -> None:
    mine = [
        "audit.views.mine._target_=omniretail.audit.audited_views.encoder_input",
        "audit.views.mine.item_columns=[]",
        "audit.views.mine.max_items=5",
    ]
    call(tmp_path, monkeypatch, "audit.only=[training,mine]", *mine, 'audit.at=["2024-03-20T01:00+01:00"]')
    assert "Nothing after 2024-03-20 00:00 reaches any of 2 views." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["audit.only=[training,offres]"], "audit.only=offres: the views are training, profile_table"),
        (["evaluate=[both]"], r"evaluate=both: choose evaluate=\[val\]"),
        (["model=recommender/popular"], r"Popular has no embed\(\): .* such as model=profile/table"),
        (["audit.views.mine=tests.audit.factories.visits_evr"], "audit.views.mine: .*visits_evr"),
        (["audit.only=[training]", "split=leave_last"], "choose split=temporal"),
        (["audit.only=[training]", "audit.at=[2025-01-01]"], "nothing to change"),
        (["audit.only=[training]", "audit.at=[soon]"], "'soon' is not a time in ISO 8601"),
        (["audit.olny=[training]"], "there is no setting audit.olny; did you mean audit.only"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, overrides: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message) as exit_:
        call(tmp_path, monkeypatch, *overrides)
    assert "\n" not in str(exit_.value)


def test_the_settings_of_the_job_and_the_help_are_hydras(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = command("audit", "--cfg", "job", "--package", "audit", "audit.only=[tags]")
    assert job.returncode == 0, job.stderr
    assert "only:\n- tags" in job.stdout
    assert "LightGBM" in job.stdout
    shown = command("audit", "--help").stdout
    assert "audit.only=[mine]" in shown
    assert "model/profile: " in shown
    info = command("audit", "--info", "defaults")
    assert "task/response" in info.stdout.replace(" ", ""), info.stderr


@pytest.mark.slow
def test_a_sweep_audits_every_job_and_fails_where_one_leaks(tmp_path, monkeypatch, capsys) -> None:
    mine = "audit.views.mine=tests.audit.factories.visits_ever"
    jobs = "audit.only=[mine],[training]"
    with pytest.raises(SystemExit, match="1 of the views leak: mine"):
        call(tmp_path, monkeypatch, "-m", jobs, mine, "audit.at=[2024-03-02]")
    assert capsys.readouterr().out.count("run_id=") == 2
