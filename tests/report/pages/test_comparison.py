"""The page of a comparison: well-formed, complete, and alone."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from omniretail.report.compare import Comparison, Report
from omniretail.result import Result
from tests.report.results import CARD, GROUPED, RESULTS, SHOWN

RECOMMENDERS = Report("ndcg_at_10", SHOWN, baseline="Popular", reference="PersonalTop")
QUESTIONS = Report("churn/auc", ["*/auc", "*/brier"], tested=["*"], baseline="Chance")


def page_of(results: list[Result], report: Report, path: Path) -> tuple[Comparison, str, ElementTree.Element]:
    made = report.compare(results, CARD, {"no <user>": 1234})
    made.write_html(path / "reports" / "page.html")
    text = (path / "reports" / "page.html").read_text(encoding="utf-8")
    return made, text, ElementTree.fromstring(text)  # raises where a name was not escaped


@pytest.mark.parametrize(
    ("results", "report", "n_plots"),
    [(RESULTS, RECOMMENDERS, 5), (RESULTS[:1], RECOMMENDERS, 1), (GROUPED, QUESTIONS, 3), (GROUPED[:1], QUESTIONS, 1)],
    ids=["recommenders", "one recommender", "questions", "one model's questions"],
)
def test_page_is_well_formed_complete_and_alone(
    results: list[Result], report: Report, n_plots: int, tmp_path: Path
) -> None:
    made, text, root = page_of(results, report, tmp_path)
    words = " ".join(root.itertext())
    expected = [*made.table.index, "Corner <shop>", "Free & open.", "Tea only.", "no <user> 1,234", "shop"]
    for words_of_page in expected:
        assert words_of_page in words
    assert len(root.findall(".//{http://www.w3.org/2000/svg}svg")) == n_plots
    assert "<script" not in text
    assert re.findall(r'(?:src|href)="(?!#)([^"]*)"', text.replace("xlink:href", "")) == [
        "https://example.org/?a=1&amp;b=2"
    ]
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_page_says_what_was_judged_and_who_won(tmp_path: Path) -> None:
    _, text, _ = page_of(GROUPED, QUESTIONS, tmp_path)
    assert "Copy beats Chance by 17 %" in text
    assert "<dt>N folds</dt><dd>5</dd>" in text
    assert "<b>0.7000</b>" in text
    _, text, _ = page_of(RESULTS, RECOMMENDERS, tmp_path)
    assert text.index("EASE beats PersonalTop") < text.index("EASE beats Popular")
    assert "<dt>Users judged</dt><dd>300</dd>" in text
    assert "<dt>… of them first seen after the cutoff</dt><dd>7</dd>" in text
