"""The page of propensities: rows, sentences, escaping, and what is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

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
from tests.report.charts.test_calibration import N, drawn, spend
from tests.report.reading import ReadPage

CARD = DatasetCard("Made <up>", terms="free", currency="EUR", note="Not & real.")


def report(question: str, classes: list[str]) -> CalibrationReport:
    after, truth = drawn(len(classes))
    return CalibrationReport(question, classes, after / 2, after, truth, ["platt"] * len(classes))


def propensities(
    *reports: CalibrationReport, forecast: SpendForecast | None = None, left_out: dict | None = None
) -> Propensities:
    everything = [report("churn", ["stays away"]), *reports]
    return Propensities(np.arange(N), 0, 28 * 86400, everything, forecast, left_out or {})


def written(folder: Path, findings: Propensities) -> ReadPage:
    cost = {"fit_s": 1.0, "score_s": 2.0, "probe_s": 3.0}
    result = Result("E<x>", "test", "propensity", cost=cost)
    page(folder / "new" / "page.html", Evaluation(result, findings=findings), CARD)
    return ReadPage(folder / "new" / "page.html")


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
    page = written(tmp_path, propensities(*reports, forecast=spend(), left_out=left_out))
    assert not {"b", "up", "x", "img"} & set(page.names)
    for phrase in (
        *names,
        "Made <up>: what each of 200 customers does in the 28 days from 1970-01-01 on",
        "E<x>",
        "[1970-01-01, 1970-01-29)",
        "Not & real.",
        "Terms: free",
        "1,234 classes that too few or nearly all customers buy",
        "(weight 25%)",
    ):
        assert phrase in page.text, phrase
    assert len(page.specs) == 1 + 1 + 3 + 1 + 1, "churn, departments pooled, three of them, categories, spend"
    assert page.links == ["index.html", "page_customers.csv"]
    assert page.titles.count("Expected spend") == 2


def test_counts_come_first_and_every_customer_is_in_a_file(tmp_path: Path) -> None:
    findings = propensities(forecast=spend())
    page = written(tmp_path, findings)
    churn = findings.reports[0]
    assert (
        f"{churn.after.sum():,.0f} of 200 customers were expected to stay away; {churn.truth.sum():,.0f} did."
        in page.text
    )
    customers = pd.read_csv(tmp_path / "new" / "page_customers.csv")
    np.testing.assert_allclose(customers.p_churn, churn.after[:, 0])
    first = (customers.p_churn * findings.spend.own_rate).idxmax()
    assert f"customer stays away usual spend, EUR expected spend, EUR {first} " in page.text


def test_without_amounts_and_classes_the_page_is_about_churn(tmp_path: Path) -> None:
    page = written(tmp_path, propensities())
    assert len(page.specs) == 1
    for absent in ("Expected spend", "every class", "Left out"):
        assert absent not in page.text
