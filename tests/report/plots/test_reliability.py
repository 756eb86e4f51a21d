"""Reliability in bins and as diagrams, and the page of probabilities."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from omniretail.profile.propensity.evaluate import Propensities
from omniretail.profile.propensity.expected_spend import SpendForecast
from omniretail.profile.propensity.reliability import CalibrationReport
from omniretail.report.pages.propensity import write_propensities
from omniretail.report.pages.propensity_text import (
    CLASS_HEADINGS,
    SUMMARY_HEADINGS,
    class_rows,
    sentences,
    summary_rows,
)
from omniretail.report.plots.reliability import reliability, reliability_diagram, spending_diagram
from omniretail.schema import DatasetCard

N = 200
DATA = DatasetCard("Made <up>", terms="free", currency="EUR", note="Not & real.")


def drawn(n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.random((N, n_classes)) * np.linspace(1, 0.2, n_classes)
    return probability, (rng.random((N, n_classes)) < probability).astype(float)


def promises(question: str, classes: list[str]) -> CalibrationReport:
    after, truth = drawn(len(classes))
    return CalibrationReport(question, classes, after / 2, after, truth, ["platt"] * len(classes))


def spent() -> SpendForecast:
    rng = np.random.default_rng(0)
    truth = rng.exponential(20, N)
    return SpendForecast(truth * 0.5, truth + rng.normal(0, 1, N), np.full(N, 20.0), truth, 0.25, "scale")


def found(
    *asked: CalibrationReport, spending: SpendForecast | None = None, left_out: dict | None = None
) -> Propensities:
    everything = [promises("churn", ["stays away"]), *asked]
    return Propensities(np.arange(N), 0, everything, spending, left_out or {}, 1.0, 2.0, 3.0)


def page(path: Path, said: Propensities) -> str:
    write_propensities(path / "new" / "page.html", said, "Title & co", "A <shop>.", {"Encoder": "E<x>"}, DATA)
    return (path / "new" / "page.html").read_text(encoding="utf-8")


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


def test_bins_hold_equally_many_and_the_interval_is_wilsons():
    probability, truth = (each[:, 0] for each in drawn(1))
    bins = reliability(truth, probability, n_bins=7)
    assert bins["count"].tolist() == [29] * 4 + [28] * 3
    assert bins.promised.is_monotonic_increasing
    assert (bins["count"] * bins.happened).sum() == pytest.approx(truth.sum())
    assert (bins["count"] * bins.promised).sum() == pytest.approx(probability.sum())
    for row in bins.to_dict("records"):
        reference = binomtest(round(row["count"] * row["happened"]), row["count"]).proportion_ci(method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((reference.low, reference.high))


def test_fewer_customers_than_bins():
    bins = reliability(np.array([0.0, 1.0, 1.0]), np.array([0.9, 0.2, 0.4]))
    assert bins.happened.tolist() == [1.0, 1.0, 0.0]
    assert bins.promised.tolist() == [0.2, 0.4, 0.9]


def test_the_diagram_shows_both_and_everything_lies_inside_it():
    probability, truth = (each[:, 0] for each in drawn(1))
    panels = reliability_diagram(truth, probability / 2, probability).axes
    for axes, said in zip(panels, (probability / 2, probability), strict=True):
        bins = reliability(truth, said)
        np.testing.assert_allclose(np.asarray(axes.lines[1].get_xydata()), bins[["promised", "happened"]])
        assert axes.get_xlim() == axes.get_ylim() == panels[0].get_xlim()
        assert axes.get_ylim()[1] >= min(1.0, bins.high.max())
        np.testing.assert_array_equal(axes.get_xticks(), axes.get_yticks())


def test_the_spending_diagram_shows_means_of_tenths():
    spending = spent()
    before, after = spending_diagram(spending, "EUR").axes
    assert before.get_xlabel() == "expected, EUR"
    order = np.argsort(spending.after)
    expected = [[of[part].mean() for of in (spending.after, spending.truth)] for part in np.array_split(order, 10)]
    np.testing.assert_allclose(np.asarray(after.lines[0].get_xydata()), expected)
    assert spending_diagram(spending, "").axes[0].get_ylabel() == "paid"


def test_rows_fit_their_headings_and_what_is_not_defined_is_a_dash():
    asked = promises("department_propensity", ["rare", "common"])
    asked.truth[:] = np.array([[0.0, 1.0]])
    rows = class_rows(asked.figures())
    assert [row[0] for row in rows] == ["common", "rare"]
    assert [row[CLASS_HEADINGS.index("AUC")] for row in rows] == ["–", "–"]
    assert {len(row) for row in rows} == {len(CLASS_HEADINGS)}
    (row,) = summary_rows(found().summary())
    assert len(row) == len(SUMMARY_HEADINGS)
    assert row[:2] == ["churn", "1"]


def test_a_sentence_says_whether_calibration_moved_anything():
    summary = found(promises("department_propensity", ["a", "b"])).summary()
    summary["ece_before"], summary["ece"], summary["ece_if_true"] = [0.3, 0.02], 0.02, 0.01
    assert list(sentences(summary)) == [
        "Churn: ECE goes from 0.300 to 0.020; luck alone would make it 0.010.",
        "Purchase by department: ECE stays at 0.020, the mean of 2 classes; luck alone would make it 0.010.",
    ]


def test_the_page_holds_every_class_escaped_and_needs_no_network(tmp_path: Path):
    names = ["<b>BOLD</b> & CO", "PLAIN", "A", "B", "C"]
    left_out = {"category_propensity": {"words that too few or nearly all buy": 1234}}
    asked = [promises("department_propensity", names), promises("category_propensity", ["x", "y"])]
    said = found(*asked, spend_forecast=spent(), left_out=left_out)
    html = page(tmp_path, said)
    seen = Elements(html)
    assert not {"b", "shop", "x", "script", "link", "img"} & set(seen.names)
    assert set(names) <= set(seen.texts)
    text = " ".join(" ".join(seen.texts).split())
    for words in (
        "Title & co",
        "A <shop>.",
        "E<x>",
        "Made <up>",
        "Not & real.",
        "Terms: free",
        "1,234 words that too few or nearly all buy",
        "(25% of it)",
    ):
        assert words in text
    assert seen.names.count("svg") == 1 + 1 + 3 + 1 + 1, "churn, departments pooled, three of them, categories, spend"
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 7, "given once each"
    assert "http" not in html.replace("http://www.w3.org", "")
    assert text.count("Expected spend") == 2


def test_without_amounts_and_classes_the_page_is_about_churn(tmp_path: Path):
    html = page(tmp_path, found())
    assert Elements(html).names.count("svg") == 1
    assert "Expected spend" not in html
    assert "every class" not in html
    assert "Left out" not in html
