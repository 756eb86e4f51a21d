import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation, Text
from rich.console import Console
from scipy import stats

from omniretail import report
from omniretail.metrics.significance import holm
from omniretail.report.plots.comparison import accuracy_by_coverage, lift_by_activity
from omniretail.report.plots.label_placement import spread
from omniretail.report.plots.style import line_styles
from omniretail.report.tables.activity_groups import by_group, groups
from omniretail.report.tables.format import legend
from omniretail.report.tables.plain import plain_html
from omniretail.result import Result
from omniretail.schema import DatasetCard

CARD = DatasetCard("Corner <shop>", address="https://example.org/?a=1&b=2", terms="Free & open.", note="Tea only.")
SHOWN = ["recall_at_10", "coverage_at_10"]


def result(model: str, quality: float, seed: int = 0, n_users: int = 300, **changes) -> Result:
    """Users differ in how easy they are, the same for every model; a model adds its quality and some noise."""
    rng = np.random.default_rng([seed, *map(ord, model)])
    easy = np.random.default_rng(0).random(n_users) * 0.4
    ndcg, recall, repeat, new = (np.clip(easy + quality + rng.normal(0, 0.05, n_users), 0, 1) for _ in range(4))
    per_user = pd.DataFrame(
        {
            "ndcg_at_10": ndcg,
            "recall_at_10": recall,
            "repeat_ndcg_at_10": np.where(easy > 0.1, repeat, np.nan),
            "new_ndcg_at_10": new / 4,
            "n_history": np.random.default_rng(1).geometric(0.1, n_users) - 1,
        },
        index=pd.Index([f"u{i:04d}" for i in range(n_users)], name="user_id"),
    )
    settings = {"source": "shop", "data": "1f", "split": "temporal", "policy": "AllowSeen", "seed": str(seed)}
    made = Result(model, "test", per_user, {"coverage_at_10": quality, "cold_items": 7}, 1.5, 0.2, 512, "", settings)
    return replace(made, **changes)


@pytest.fixture(scope="module")
def results() -> list[Result]:
    qualities = {"Popular": 0.1, "EASE": 0.3, "PersonalTop": 0.25, "SLIM": 0.293, "<b>$x$|&": 0.2}
    return [result(model, quality) for model, quality in qualities.items()]


@pytest.fixture(scope="module")
def table(results) -> pd.DataFrame:
    return report.comparison(results, SHOWN, "ndcg_at_10")


def test_best_first_with_means_and_intervals(results, table):
    means = pd.Series({r.model: r.per_user.ndcg_at_10.mean() for r in results}).sort_values(ascending=False)
    assert list(table.index) == list(means.index)
    np.testing.assert_allclose(table.ndcg_at_10, means)
    assert (table.ndcg_at_10_low < table.ndcg_at_10).all()
    assert (table.ndcg_at_10 < table.ndcg_at_10_high).all()
    assert table.loc["EASE", "coverage_at_10"] == 0.3
    assert table.coverage_at_10_low.isna().all()


def test_tests_are_paired_and_adjusted(results, table):
    values = {r.model: r.per_user.ndcg_at_10 for r in results}
    for column, reference in (("p_best", table.index[0]), ("p_floor", "Popular")):
        others = [name for name in table.index if name != reference]
        expected = holm(np.array([stats.ttest_rel(values[name], values[reference]).pvalue for name in others]))
        np.testing.assert_allclose(table.loc[others, column], expected, rtol=1e-6)
        assert np.isnan(table.loc[reference, column])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "val"}, r"stage: 'test' \(Popular\) against 'val' \(EASE\)"),
        ({"settings": {"source": "shop", "data": "2a", "split": "temporal", "policy": "AllowSeen"}}, "data: '1f'"),
        ({"settings": {"source": "shop", "data": "1f", "split": "temporal"}}, r"policy: 'AllowSeen' \(Popular\) ag"),
    ],
)
def test_refuses_different_protocols(change, message):
    with pytest.raises(ValueError, match=message):
        report.comparison([result("Popular", 0.1), result("EASE", 0.3, **change)], [], "ndcg_at_10")


def test_refuses_what_was_not_measured(results):
    with pytest.raises(ValueError, match=r"Popular was not judged by mrr_at_10; it has ndcg_at_10, recall_at_10"):
        report.comparison(results, ["mrr_at_10"], "ndcg_at_10")
    with pytest.raises(ValueError, match="no values per user of coverage_at_10"):
        report.comparison(results, [], "coverage_at_10")
    with pytest.raises(ValueError, match="no results"):
        report.comparison([], [], "ndcg_at_10")


def test_seeds_are_averaged_per_user():
    runs = [result("BPR", 0.2, seed) for seed in range(3)]
    table = report.comparison([result("Popular", 0.1), *runs], [], "ndcg_at_10")
    means = [r.per_user.ndcg_at_10.mean() for r in runs]
    assert table.loc["BPR", "seeds"] == 3
    assert table.loc["BPR", "ndcg_at_10"] == pytest.approx(np.mean(means))
    assert table.loc["BPR", "primary_seed_sd"] == pytest.approx(np.std(means, ddof=1))
    alone = report.comparison([result("Popular", 0.1), runs[0]], [], "ndcg_at_10")
    width = table.ndcg_at_10_high - table.ndcg_at_10_low
    assert width["BPR"] < alone.loc["BPR", "ndcg_at_10_high"] - alone.loc["BPR", "ndcg_at_10_low"]
    assert "seeds" in " ".join(legend(table))


def test_runs_of_one_model_are_told_apart():
    runs = [result("EASE", q, run_id=run) for q, run in ((0.2, "aaaa1111ffff"), (0.3, "bbbb2222ffff"), (0.1, ""))]
    assert list(report.merged(runs)) == ["EASE aaaa1111", "EASE bbbb2222", "EASE #3"]
    with pytest.raises(ValueError, match="aaaa1111ffff of EASE is given twice"):
        report.merged([runs[0], runs[0]])


def test_users_are_matched_by_id(results, table):
    shuffled = [replace(r, per_user=r.per_user.sample(frac=1, random_state=1)) for r in results]
    again = report.comparison(shuffled, SHOWN, "ndcg_at_10")
    np.testing.assert_allclose(again[["ndcg_at_10", "p_best"]], table[["ndcg_at_10", "p_best"]])


def test_csv_round_trip(table, tmp_path):
    report.to_csv(table, tmp_path / "results.csv")
    pd.testing.assert_frame_equal(report.read_csv(tmp_path / "results.csv"), table, check_exact=True)


def test_readme_holds_the_table_of_its_csv(table, tmp_path):
    readme, csv = tmp_path / "README.md", tmp_path / "results.csv"
    readme.write_text("# EASE\n\n<!-- table:start -->\nold\n<!-- table:end -->\n\nVerdict.\n", encoding="utf-8")
    report.to_csv(table, csv)
    report.refresh(readme, csv)
    text = readme.read_text(encoding="utf-8")
    assert report.markdown(table) in text
    assert "old" not in text
    assert text.startswith("# EASE\n\n<!-- table:start -->\n| model | NDCG@10 |")
    assert text.endswith("<!-- table:end -->\n\nVerdict.\n")
    assert report.with_table(text, report.read_csv(csv)) == text


@pytest.mark.parametrize("text", ["", "<!-- table:end --> <!-- table:start -->", "<!-- table:start -->" * 2])
def test_refuses_a_readme_without_its_markers(table, text):
    with pytest.raises(ValueError, match="once each, in this order"):
        report.with_table(text, table)


def test_markdown_is_escaped(table):
    lines = report.markdown(table).splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines[: len(table) + 2]}) == 1
    assert r"&lt;b&gt;$x$\|&amp;" in report.markdown(table)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_terminal_table_keeps_every_figure_whole(table, width):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(report.terminal(table, width))
    printed = capture.get()
    assert max(map(len, printed.splitlines())) <= width
    for row in table.itertuples():
        assert f"{row.ndcg_at_10:.4f}" in printed
        assert f"{row.ndcg_at_10_low:.4f}–{row.ndcg_at_10_high:.4f}" in printed
    assert ("Left out to fit" in printed) == (width < 100)


def test_verdicts_are_honest(table):
    beaten = report.verdict(table, "PersonalTop")
    assert re.fullmatch(
        r"EASE beats PersonalTop by 1\d % \(NDCG@10 0\.\d{4} against 0\.\d{4}, p\s<\s0\.001\)\.", beaten
    )
    assert report.verdict(table, "SLIM").startswith("Nothing is shown to beat SLIM: the best model, EASE, does not")
    assert report.verdict(table, "EASE").startswith("Nothing beats EASE: with NDCG@10 ")
    with pytest.raises(KeyError, match="BPR is not in the comparison"):
        report.verdict(table, "BPR")


def test_one_model_alone_makes_a_table():
    table = report.comparison([result("EASE", 0.3)], [], "ndcg_at_10")
    assert "| EASE |" in report.markdown(table)
    assert "vs EASE" not in report.markdown(table)


def test_html_is_well_formed_complete_and_alone(results, table, tmp_path):
    page = tmp_path / "report.html"
    report.write_html(page, results, table, CARD, {"Window": "[a, b)"}, {"no <user>": 1234})
    text = page.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)  # raises where a name was not escaped
    words = " ".join(root.itertext())
    for expected in [*table.index, "Corner <shop>", "Free & open.", "Tea only.", "[a, b)", "no <user> 1,234"]:
        assert expected in words
    assert len(root.findall(".//{http://www.w3.org/2000/svg}svg")) == 5
    assert "<script" not in text
    assert re.findall(r'(?:src|href)="(?!#)([^"]*)"', text.replace("xlink:href", "")) == [
        "https://example.org/?a=1&amp;b=2"
    ]
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_only_the_plots_that_there_are_figures_for(results):
    bare = [
        replace(r, overall={}, per_user=r.per_user.drop(columns=["repeat_ndcg_at_10", "new_ndcg_at_10"]))
        for r in results
        if r.model != "Popular"
    ]
    table = report.comparison(bare, [], "ndcg_at_10")
    assert [plot.name for plot in report.plots(table, report.merged(bare))] == ["accuracy", "cost"]


def test_plots_leave_no_global_state(results, table):
    before = dict(matplotlib.rcParams)
    report.accuracy_by_activity(results[0], "ndcg_at_10")
    names = [plot.name for plot in report.plots(table, report.merged(results))]
    assert names == ["accuracy", "cost", "coverage", "activity", "repeat_and_new"]
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("plot", [accuracy_by_coverage, lift_by_activity])
def test_labels_do_not_overlap(plot):
    crowd = [result(f"Model number {i}", 0.2 + 0.004 * (i % 4)) for i in range(12)] + [result("Popular", 0.1)]
    figure = plot(report.comparison(crowd, [], "ndcg_at_10"), report.merged(crowd))
    figure.draw_without_rendering()
    labels = [Text.get_window_extent(label) for label in figure.axes[0].findobj(Annotation)]
    assert len(labels) >= 5
    assert not any(a.overlaps(b) for a, b in combinations(labels, 2))


def test_labels_are_spread_in_order():
    wanted = np.array([0.0, 0.1, 0.2, 5.0])
    placed = spread(wanted, room=1.0)
    assert (np.diff(placed) >= 1.0 - 1e-9).all()
    assert placed[3] == 5.0
    np.testing.assert_array_equal(spread(np.array([0.0, 3.0]), room=1.0), [0.0, 3.0])


def test_a_model_looks_the_same_whatever_the_floor_s_place():
    names = [f"M{i}" for i in range(14)]
    own = line_styles([*names[:3], "Popular", *names[3:]], floor="Popular")
    assert {name: own[name] for name in names} == line_styles(names, floor=None)
    assert len(set(own.values())) == 15


def test_groups_keep_users_of_equal_activity_together():
    n_history = np.array([0] * 50 + [1] * 30 + list(range(2, 22)))
    grouped = groups(n_history, n_groups=5)
    assert sum(grouped.sizes) == 100
    assert grouped.names[0] == "0"
    assert all(len(np.unique(grouped.of[n_history == n])) == 1 for n in np.unique(n_history))
    assert groups(np.array([3, 3]), n_groups=5).names == ["3"]


def test_group_means_and_intervals():
    grouped = groups(np.arange(100), n_groups=2)
    values = np.where(np.arange(100) < 50, 0.2, np.nan)
    table = by_group({"a": np.full(100, 0.5), "b": values}, grouped).set_index(["name", "group"])
    assert table.loc[("a", 0)].tolist() == [0.5, 0.5, 0.5]
    assert table.loc[("b", 0)].tolist() == pytest.approx([0.2, 0.2, 0.2])
    assert table.loc[("b", 1)].isna().all()


def test_the_plain_page_says_what_the_data_is() -> None:
    page = plain_html(pd.DataFrame({"model": ["A"]}), ["How to read it."], "Offers", CARD)
    for words in ("Corner &lt;shop&gt;", "Tea only.", "Terms: Free &amp; open.", "https://example.org/?a=1&amp;b=2"):
        assert words in page
