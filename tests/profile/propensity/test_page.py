"""The page of propensities: rows, sentences, escaping, and what is left out."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from omniretail.profile.propensity.calibration_report import CalibrationReport
from omniretail.profile.propensity.evaluate import Propensities
from omniretail.profile.propensity.expected_spend import SpendForecast
from omniretail.report.pages.propensity import page
from omniretail.report.pages.propensity_text import (
    CLASS_HEADINGS,
    SUMMARY_HEADINGS,
    class_rows,
    sentences,
    summary_rows,
)
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation
from tests.report.plots.test_reliability import N, drawn, spend

CARD = DatasetCard("Made <up>", terms="free", currency="EUR", note="Not & real.")


def report(question: str, classes: list[str]) -> CalibrationReport:
    after, truth = drawn(len(classes))
    return CalibrationReport(question, classes, after / 2, after, truth, ["platt"] * len(classes))


def propensities(
    *reports: CalibrationReport, forecast: SpendForecast | None = None, left_out: dict | None = None
) -> Propensities:
    everything = [report("churn", ["stays away"]), *reports]
    return Propensities(np.arange(N), 0, 28 * 86400, everything, forecast, left_out or {})


def written(folder: Path, findings: Propensities) -> str:
    cost = {"fit_s": 1.0, "score_s": 2.0, "probe_s": 3.0}
    result = Result("E<x>", "test", "propensity", cost=cost)
    page(folder / "new" / "page.html", Evaluation(result, findings=findings), CARD)
    return (folder / "new" / "page.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """All text of the page, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_rows_fit_their_headings_and_undefined_metrics_are_a_dash() -> None:
    departments = report("department_propensity", ["rare", "common"])
    departments.truth[:] = np.array([[0.0, 1.0]])
    rows = class_rows(departments.per_class)
    assert [row[0] for row in rows] == ["common", "rare"]
    assert [row[CLASS_HEADINGS.index("AUC")] for row in rows] == ["–", "–"]
    assert {len(row) for row in rows} == {len(CLASS_HEADINGS)}
    (row,) = summary_rows(propensities().reports)
    assert len(row) == len(SUMMARY_HEADINGS)
    assert row[:2] == ["churn", "1"]


def test_a_sentence_says_whether_calibration_changed_anything() -> None:
    churn, departments = report("churn", ["stays away"]), report("department_propensity", ["a", "b"])
    unchanged = replace(departments, before=departments.after)
    first, second = sentences([churn, unchanged])
    assert first.startswith(
        f"Churn: ECE goes from {churn.metrics['ece_before']:.3f} to {churn.metrics['ece']:.3f}; exact"
    )
    ece = f"{unchanged.metrics['ece']:.3f}"
    assert second.startswith(f"Purchase by department: ECE stays at {ece}, the mean of 2 classes; exact")


def test_the_page_has_every_class_escaped_and_needs_no_network(tmp_path: Path) -> None:
    names = ["<b>BOLD</b> & CO", "PLAIN", "A", "B", "C"]
    left_out = {"category_propensity": {"classes that too few or nearly all customers buy": 1234}}
    reports = [report("department_propensity", names), report("category_propensity", ["x", "y"])]
    html = written(tmp_path, propensities(*reports, forecast=spend(), left_out=left_out))
    elements = Elements(html)
    assert not {"b", "up", "x", "script", "link", "img"} & set(elements.names)
    assert set(names) <= set(elements.texts)
    text = " ".join(" ".join(elements.texts).split())
    for phrase in (
        "Made <up>: what each of 200 customers does in the 28 days from 1970-01-01 on",
        "E<x>",
        "[1970-01-01, 1970-01-29)",
        "Not & real.",
        "Terms: free",
        "1,234 classes that too few or nearly all customers buy",
        "(weight 25%)",
    ):
        assert phrase in text, phrase
    assert elements.names.count("svg") == 1 + 1 + 3 + 1 + 1, (
        "churn, departments pooled, three of them, categories, spend"
    )
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 7, "each once"
    assert "http" not in html.replace("http://www.w3.org", "")
    assert text.count("Expected spend") == 2


def test_without_amounts_and_classes_the_page_is_about_churn(tmp_path: Path) -> None:
    html = written(tmp_path, propensities())
    assert Elements(html).names.count("svg") == 1
    for absent in ("Expected spend", "every class", "Left out"):
        assert absent not in html
