"""The command that compares runs: what it prints, writes and refuses; the runs themselves are made by hand."""

import sys
from pathlib import Path

import pytest

from omniretail.commands import compare
from omniretail.report.compare import Report
from omniretail.report.tables.csv_files import read_csv
from tests.report.reading import ReadPage
from tests.report.results import CARD, GROUPED, RESULTS, SHOWN

RECOMMENDERS = Report("ndcg_at_10", SHOWN, baseline="Popular").compare(RESULTS, CARD, {})
QUESTIONS = Report("churn/auc", ["*/auc"], baseline="Chance").compare(GROUPED, CARD, {})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    def command(*arguments: str, compared=(RECOMMENDERS,)) -> None:
        monkeypatch.setattr("omniretail.sweep.compare", lambda *_, **__: list(compared))
        monkeypatch.setattr(sys, "argv", ["compare.py", *arguments])
        compare.main()

    return command


def test_prints_a_table_per_protocol(run, capsys: pytest.CaptureFixture) -> None:
    run("a", compared=[RECOMMENDERS, QUESTIONS])
    printed = capsys.readouterr().out
    assert (
        printed.index("Protocol with") < printed.index("EASE") < printed.index("task=probing") < printed.index("Copy")
    )


def test_another_baseline_by_how_its_name_starts(run, capsys: pytest.CaptureFixture) -> None:
    run("a", "--baseline", "Personal")
    assert "gain over PersonalTop, the baseline" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit, match="error: 'BPR' is not among the models compared, which are EASE, SLIM"):
        run("a", "--baseline", "BPR")


def test_by_activity(run, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "README.md").write_text("<!-- table:activity:start -->\n<!-- table:activity:end -->\n")
    where = ["--experiment", str(tmp_path), "--table", "activity"]
    run("a", "--by", "activity", "--against", "PersonalTop", *where)
    assert "Holm-corrected: 4 times" in " ".join(capsys.readouterr().out.split())
    assert "| EASE − PersonalTop | +0.0" in (tmp_path / "README.md").read_text()
    with pytest.raises(SystemExit, match="error: 'Nobody' is not among the models compared"):
        run("a", "--by", "activity", "--pair", "EASE", "Nobody")
    with pytest.raises(SystemExit, match=r"error: .* has no churn/auc and number of events per user"):
        run("a", "--by", "activity", compared=[QUESTIONS])


def test_a_page_per_protocol(run, tmp_path: Path) -> None:
    run("a", "--html", str(tmp_path / "page.html"), compared=[RECOMMENDERS, QUESTIONS])
    assert sorted(path.name for path in tmp_path.glob("[!.]*.html")) == ["index.html", "page.html", "page_1.html"]
    assert {"page.html", "page_1.html"} <= set(ReadPage(tmp_path / "index.html").links)


def test_the_mean_over_datasets_is_saved_beside_each(run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- table:start -->\n<!-- table:end -->\n")
    other = Report("churn/auc", ["*/auc"]).compare(GROUPED[:2], CARD, {})
    run("a", "--experiment", str(tmp_path), compared=[QUESTIONS, other])
    tables = read_csv(tmp_path / "results.csv")
    assert list(tables) == ["", "1", "2"]
    assert list(tables[""].index) == ["Table", "Chance"]
    assert tables[""].loc["Table", "churn/auc"] == pytest.approx(0.7)
    assert "is the mean over 2 datasets" in (tmp_path / "README.md").read_text()
    with pytest.raises(SystemExit, match="error: only tables of the same models and metrics have a mean"):
        run("a", "--experiment", str(tmp_path), compared=[RECOMMENDERS, QUESTIONS])


def test_refuses_arguments_that_do_not_fit(run, capsys: pytest.CaptureFixture) -> None:
    for arguments, message in ([(), "name at least one run"], [("a", "--against", "EASE"), "--by activity"]):
        with pytest.raises(SystemExit):
            run(*arguments)
        assert message in capsys.readouterr().err
