"""A comparison in words: in a terminal, in a README, and its verdict."""

import re

import pandas as pd
import pytest
from rich.console import Console

from omniretail.core.errors import SettingsError
from omniretail.report.compare import Report
from omniretail.report.tables.comparison import comparison
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.legend import legend
from omniretail.report.tables.text_table import TextTable
from omniretail.report.tables.verdict import ahead, verdict
from tests.report.results import CARD, GROUPED, RESULTS, TABLE, WIDE, grouped_result, result


def printed(table: pd.DataFrame, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(text_table(table).terminal(width))
    return capture.get()


def test_markdown_is_escaped() -> None:
    text = text_table(TABLE).markdown()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()[: len(TABLE) + 2]}) == 1
    assert r"&lt;b&gt;$x$\|&amp;" in text


@pytest.mark.parametrize("width", [30, 40, 60, 80, 110, 140])
@pytest.mark.parametrize("table", [TABLE, WIDE], ids=["recommenders", "questions"])
def test_a_terminal_shows_every_metric_whole(table: pd.DataFrame, width: int) -> None:
    text = printed(table, width)
    assert max(map(len, text.splitlines())) <= width
    metrics = [column for column in table if f"{column}_low" in table]
    for value in table[metrics].to_numpy().ravel():
        assert f"{value:.4f}" in text
    primary = metrics[0]
    for low, high in zip(table[f"{primary}_low"], table[f"{primary}_high"], strict=True):
        assert f"{low:.4f}–{high:.4f}" in text


def test_words_of_a_group_stay_whole_at_80_columns() -> None:
    names = ["attribute of a household: household_income_and_size", "days since the last visit"]
    cells = pd.DataFrame({"question": names, **{f"metric {i}": ["0.1234 (0.1000–0.2000)"] * 2 for i in range(4)}})
    for width in (60, 80):
        console = Console(width=width, color_system=None)
        with console.capture() as capture:
            console.print(TextTable(cells).terminal(width))
        words = capture.get().split()
        assert {"household_income_and_size", "0.1234"} <= set(words)
        assert words.count("(0.1000–0.2000)") == 8
    assert TextTable(cells).terminal(30).renderables


def test_the_runner_up_is_named() -> None:
    assert ahead(TABLE).startswith("EASE is first, but not shown to be better than SLIM (NDCG@10 0.")
    clear = comparison([result("A", 0.3), result("B", 0.1)], [], "ndcg_at_10")
    assert re.match(r"A is first: it beats the runner-up, B, by \d+ % \(NDCG@10 ", ahead(clear))


def test_costs_that_do_not_fit_are_left_out_and_named() -> None:
    assert "Left out to fit 80 characters: fit s, score s, MiB." in " ".join(printed(TABLE, 80).split())
    assert "Left out" not in printed(TABLE, 110)


def test_verdicts_are_honest() -> None:
    beaten = verdict(TABLE, "PersonalTop")
    assert re.fullmatch(
        r"EASE beats PersonalTop by 1\d % \(NDCG@10 0\.\d{4} against 0\.\d{4}, p\s<\s0\.001\)\.", beaten
    )
    assert verdict(TABLE, "SLIM").startswith("Nothing is shown to beat SLIM: the best model, EASE, does not differ")
    assert verdict(TABLE, "EASE").startswith("Nothing beats EASE: with NDCG@10 ")
    with pytest.raises(SettingsError, match="BPR is not in the comparison"):
        verdict(TABLE, "BPR")


def test_the_verdict_of_a_loss() -> None:
    table = comparison(GROUPED, [], "churn/brier", "Chance")
    assert "Copy beats Chance by 33 % (churn Brier score 0.2000 against 0.3000, p" in verdict(table, "Chance")
    assert "| Copy | 0.2000 |" in text_table(table).markdown()
    assert "−33 %" in text_table(table).markdown()
    assert "Lower is better: churn Brier score." in legend(table)


def test_the_verdict_without_a_test() -> None:
    table = comparison(RESULTS, [], "coverage_at_10")
    assert "EASE, was not tested against it (Coverage@10 0.3000 against 0.1000)." in verdict(table, "Popular")


def test_a_gain_over_a_baseline_that_may_be_zero_is_a_difference() -> None:
    luck, skill = (result(model, 0.0) for model in ("Luck", "Skill"))
    for each, shift in ((luck, 0.21), (skill, 0.1)):
        each.per_unit["ndcg_at_10"] -= shift
        each.metrics.loc[each.metrics.metric == "ndcg_at_10", "value"] = each.per_unit.ndcg_at_10.mean()
    text = text_table(comparison([luck, skill], [], "ndcg_at_10", "Luck")).markdown()
    assert re.search(r"\| \+0\.\d{4} \(&lt;0\.001\) \|", text)


def test_the_best_of_each_tested_metric_is_bold_and_its_equals_are_marked() -> None:
    rows = {line.split(" |")[0].strip("| "): line for line in text_table(WIDE).markdown().splitlines()}
    assert "| **0.7000** |" in rows["Copy"]
    assert "| 0.7000† |" in rows["Table"]
    assert "| **0.7000** |" in rows["Chance"]  # spend
    assert "| **0.2000** |" in rows["Copy"]  # churn, Brier score: the lowest
    assert rows["model"].startswith("| model | churn AUC | 95 % interval | spend AUC | churn Brier score | p vs best |")
    assert rows["model"].endswith("| fit s | embed s | dim |")
    assert "(two-sided paired bootstrap over users, Holm-corrected for 2 comparisons)" in " ".join(legend(WIDE))


def test_one_model_alone_makes_a_table() -> None:
    text = text_table(comparison([result("EASE", 0.3)], [], "ndcg_at_10")).markdown()
    assert "| EASE |" in text
    assert "vs EASE" not in text
    assert "best" not in text.splitlines()[0]


def test_seeds_are_shown() -> None:
    runs = [result("BPR", 0.2, seed) for seed in range(3)]
    table = comparison([result("Popular", 0.1), *runs], [], "ndcg_at_10")
    assert "seeds" in " ".join(legend(table))
    assert re.search(r"\| 3 ± 0\.\d{4} \|", text_table(table).markdown())


def test_one_run_with_groups_shows_a_row_per_group() -> None:
    shown = Report("churn/auc", ["*/auc", "*/brier"]).compare([grouped_result("Table", 0.1)], CARD, {})
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        shown.show(console)
    lines = [line.split() for line in capture.get().splitlines()]
    assert ["churn", "0.7000", "(0.5000–0.9000)", "0.2000"] in lines
    assert ["spend", "0.6000", "(0.4000–0.8000)", "–"] in lines
    assert "Cost: fit s 2.0, embed s 0.10, dim 64." in capture.get()
