"""Models by customers' activity, and pairs of them tested in each group; on the command line too."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omniretail.metrics.significance import holm
from omniretail.report.tables.by_activity import activity_cells, activity_comparison, activity_markdown, pairs_against
from omniretail.report.tables.comparison import comparison
from omniretail.report.tables.render import refresh
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.sweep import Compared
from omniretail.tracking import DataFacts
from tests.conftest import ROOT

spec = importlib.util.spec_from_file_location("compare_script", ROOT / "scripts" / "compare.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

N = 200
RNG = np.random.default_rng(0)
ACTIVE = np.arange(N) // 2
SETTINGS = {"source": "shop", "data": "1f", "split": "temporal", "policy": "AllowSeen", "seed": "1"}


def result(model: str, values: np.ndarray) -> Result:
    per_user = pd.DataFrame({"ndcg_at_10": values, "n_history": ACTIVE}, index=pd.Index(range(N), name="user_id"))
    return Result(model, "test", per_user, settings=SETTINGS)


BASE = RNG.random(N)
RESULTS = [
    result("Base", BASE),
    result("For the busy", BASE + np.where(ACTIVE >= 80, 0.2, 0.0) + RNG.normal(0, 0.05, N)),
    result("Same", BASE),
]
PAIRS = [("For the busy", "Base"), ("Same", "Base")]


def test_groups_differences_and_p_values_by_hand() -> None:
    table = activity_comparison(RESULTS, "ndcg_at_10", PAIRS).set_index(["model", "against", "activity"])
    groups = ["0–19", "20–39", "40–59", "60–79", "80–99"]
    assert list(table.index.unique("activity")) == ["all", *groups]
    assert table.loc[("Base", "", "all"), "value"] == pytest.approx(BASE.mean())
    difference = (RESULTS[1].per_user - RESULTS[0].per_user).ndcg_at_10.to_numpy()
    raw = []
    for place, group in enumerate(groups):
        inside = slice(40 * place, 40 * place + 40)
        row = table.loc[("For the busy", "Base", group)]
        assert row.value == pytest.approx(difference[inside].mean())
        assert row.users == 40
        assert row.low < row.value < row.high
        raw += [stats.ttest_1samp(difference[inside], 0).pvalue, 1.0]
    of_groups = [table.loc[(*pair, group), "p"] for group in groups for pair in PAIRS]
    np.testing.assert_allclose(of_groups, holm(np.array(raw)))
    everybody = [stats.ttest_1samp(difference, 0).pvalue, 1.0]
    np.testing.assert_allclose([table.loc[(*pair, "all"), "p"] for pair in PAIRS], holm(np.array(everybody)))
    assert table.loc[("For the busy", "Base", "80–99"), "p"] < 0.001
    assert table.loc[("For the busy", "Base", "0–19"), "p"] > 0.05


def test_cells_best_first_then_pairs() -> None:
    cells = activity_cells(activity_comparison(RESULTS, "ndcg_at_10", PAIRS))
    assert cells.iloc[:, 0].tolist() == [
        *("users", "For the busy", "Base", "Same"),
        *("For the busy − Base", "Same − Base"),
    ]
    assert cells["80–99"].iloc[0] == "40"
    assert cells["80–99"].iloc[-2].endswith("(<0.001)")
    assert cells["all"].iloc[-1] == "+0.0000 [+0.0000, +0.0000] (1.000)"


def test_whoever_has_no_value_in_one_is_left_out_of_all() -> None:
    missing = RESULTS[1].per_user.copy()
    missing.loc[0, "ndcg_at_10"] = np.nan
    table = activity_comparison([RESULTS[0], replace(RESULTS[1], per_user=missing)], "ndcg_at_10", PAIRS[:1])
    assert (table[table.activity == "all"].users == N - 1).all()


def test_an_unknown_model_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="'Bose' is not among the models compared, which are Base, For the busy, Same"):
        activity_comparison(RESULTS, "ndcg_at_10", [("Same", "Bose")])
    assert pairs_against(RESULTS, "Base") == PAIRS


def test_a_readme_holds_it_beside_the_other_table(tmp_path: Path) -> None:
    table = activity_comparison(RESULTS, "ndcg_at_10", PAIRS)
    table.to_csv(tmp_path / "groups.csv", index=False)
    start, end = "<!-- groups:start -->", "<!-- groups:end -->"
    (tmp_path / "README.md").write_text(f"# X\n<!-- table:start -->\n<!-- table:end -->\n{start}\n{end}\nAfter.\n")
    refresh(tmp_path / "README.md", tmp_path / "groups.csv", "groups")
    text = (tmp_path / "README.md").read_text()
    assert text.endswith(f"{start}\n{activity_markdown(table)}{end}\nAfter.\n")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    kept = Compared(RESULTS, comparison(RESULTS, [], "ndcg_at_10"), DataFacts(DatasetCard("A shop"), {}, ""))
    monkeypatch.setattr("omniretail.sweep.compare", lambda *_: [kept])
    (tmp_path / "README.md").write_text("<!-- groups:start -->\n<!-- groups:end -->\n")
    asked = ["compare.py", "a", "b", "c", "--by", "activity", "--against", "Base"]
    monkeypatch.setattr(sys, "argv", [*asked, "--experiment", str(tmp_path)])
    script.main()
    assert "Holm-corrected: 2 times" in " ".join(capsys.readouterr().out.split())
    assert "| For the busy − Base | +0.0" in (tmp_path / "README.md").read_text()
    monkeypatch.setattr(sys, "argv", [*asked, "--pair", "Same", "Nobody"])
    with pytest.raises(SystemExit, match="error: 'Nobody' is not among the models compared"):
        script.main()
    monkeypatch.setattr("omniretail.sweep.compare", lambda *_: [kept, kept])
    with pytest.raises(SystemExit, match="--by activity takes recommenders judged under one protocol"):
        script.main()
