"""The page of a comparison: well-formed, complete, and alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from omniretail.report.compare import Comparison, Report
from omniretail.result import Result
from tests.report.reading import ReadPage
from tests.report.results import CARD, GROUPED, RESULTS, SHOWN, result

RECOMMENDERS = Report("ndcg_at_10", SHOWN, baseline="Popular", reference="PersonalTop")
QUESTIONS = Report("churn/auc", ["*/auc", "*/brier"], tested=["*"], baseline="Chance")


def page_of(results: list[Result], report: Report, path: Path) -> tuple[Comparison, ReadPage]:
    made = report.compare(results, CARD, {"no <user>": 1234})
    made.write_html(path / "reports" / "page.html")
    return made, ReadPage(path / "reports" / "page.html")


@pytest.mark.parametrize(
    ("results", "report", "n_charts"),
    [(RESULTS, RECOMMENDERS, 7), (RESULTS[:1], RECOMMENDERS, 1), (GROUPED, QUESTIONS, 3), (GROUPED[:1], QUESTIONS, 1)],
    ids=["recommenders", "one recommender", "questions", "one model's questions"],
)
def test_page_is_well_formed_complete_and_alone(
    results: list[Result], report: Report, n_charts: int, tmp_path: Path
) -> None:
    made, page = page_of(results, report, tmp_path)
    for words in [*made.table.index, "Corner <shop>", "Free & open.", "Tea only.", "no <user> 1,234", "shop"]:
        assert words in page.text
    assert len(page.specs) == n_charts
    assert page.links == ["index.html", "https://example.org/?a=1&b=2"]
    assert page.names.count("b") <= page.html.count("<b>0.")  # no name became an element


def test_page_says_what_was_judged_and_who_won(tmp_path: Path) -> None:
    _, page = page_of(GROUPED, QUESTIONS, tmp_path)
    assert "Copy beats Chance by 17 %" in page.text
    assert "<dt>N folds</dt><dd>5</dd>" in page.html
    assert "<b>0.7000</b>" in page.html
    _, page = page_of(RESULTS, RECOMMENDERS, tmp_path)
    first, second = (page.text.index(f"EASE {words}") for words in ("is first, but not shown", "beats PersonalTop"))
    assert first < second < page.text.index("EASE beats Popular")
    assert "<dt>Users judged</dt><dd>300</dd>" in page.html
    assert "<dt>… of them first seen after the cutoff</dt><dd>7</dd>" in page.html


def test_settings_are_words_and_no_python(tmp_path: Path) -> None:
    protocol = {**RESULTS[0].protocol, "split": "Temporal(horizon_days=28, end=None)", "groups": "['a_b', 'c']"}
    _, page = page_of([replace(RESULTS[0], protocol=protocol)], RECOMMENDERS, tmp_path)
    assert "Temporal: horizon days 28" in page.text
    assert "a_b, c" in page.text
    assert "None" not in page.text


def test_a_sweep_shows_the_curve_and_says_where_the_best_lies_at_the_edge(tmp_path: Path) -> None:
    sweep = [
        result("EASE", quality, parameters=f"l2={l2}", run_id=f"r{l2}")
        for l2, quality in {5: 0.1, 20: 0.15, 80: 0.2}.items()
    ]
    _, page = page_of(sweep, RECOMMENDERS, tmp_path)
    assert "NDCG@10 of EASE over l2" in page.titles
    assert "add model.l2=320 to the sweep" in page.text
    middle = [replace(sweep[0], parameters="l2=320.0", run_id="r320"), *sweep[1:], replace(sweep[0])]
    _, page = page_of(middle, RECOMMENDERS, tmp_path)
    assert "NDCG@10 of EASE over l2" in page.titles
    assert "to the sweep" not in page.text


def test_two_hundred_models_make_a_page_that_opens(tmp_path: Path) -> None:
    many = [result(f"M{i}", 0.1 + i / 1000, n_users=20) for i in range(199)] + [result("Popular", 0.1, n_users=20)]
    _, page = page_of(many, RECOMMENDERS, tmp_path)
    assert "M0" in page.text
    assert "Shown: the best 40 of 200 models." in page.text
    assert max(len(rows) for spec in page.specs for rows in spec["datasets"].values()) <= 400
