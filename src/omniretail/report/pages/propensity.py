"""Probabilities and how true they are, as one HTML file that needs no network and no script."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from omniretail.profile.propensity.evaluate import Propensities
from omniretail.profile.propensity.reliability import CalibrationReport
from omniretail.report.pages.propensity_text import (
    CLASS_HEADINGS,
    LEGEND,
    SPENDING_HEADINGS,
    SUMMARY_HEADINGS,
    class_rows,
    question,
    sentences,
    spending_rows,
    summary_rows,
)
from omniretail.report.pages.templates import rendered
from omniretail.report.plots.captions import Plot
from omniretail.report.plots.reliability import N_BINS, reliability_diagram, spending_diagram
from omniretail.report.plots.style import svg
from omniretail.schema import DatasetCard

SHOWN = 3
"""Single classes that get a diagram of their own."""
_POOLED_ECE = {"before": "ece_pooled_before", "after": "ece_pooled", "by luck": "ece_pooled_if_true"}
_POOLED = "Every pair of customer and class counts once; those of one customer go together, so the bars are too short."
_SINGLE = "Points on the dotted line keep what they promise. Bars: 95 % intervals by Wilson."


def write_propensities(
    path: Path, found: Propensities, title: str, context: str, facts: Mapping[str, str], data: DatasetCard
) -> None:
    """Write the page: figures before and after calibration, and diagrams.

    Args:
        path: the file to write; its folder is made.
        found: from ``propensities``.
        title: of the page.
        context: a sentence that says which data this is, and of which moment.
        facts: for people, e.g. ``{"Encoder": "ProfileTable"}``.
        data: of the source.
    """
    page = rendered(
        "propensity",
        title=title,
        sentences=[context, *sentences(found.summary())],
        headings=SUMMARY_HEADINGS,
        rows=summary_rows(found.summary()),
        legend=LEGEND,
        facts=dict(facts),
        data=data,
        spending_headings=SPENDING_HEADINGS,
        spending=[] if found.spend_forecast is None else spending_rows(found.spend_forecast.figures()),
        credibility="" if found.spend_forecast is None else f"{found.spend_forecast.credibility:.0%}",
        method="" if found.spend_forecast is None else found.spend_forecast.method,
        left_out=[f"{question(name)}: {_counted(why)}." for name, why in found.left_out.items()],
        plots=[
            {"title": each.title, "caption": each.caption, "svg": svg(each.figure, each.name, each.title)}
            for each in _plots(found, data.currency)
        ],
        class_headings=CLASS_HEADINGS,
        classes={
            question(each.question): class_rows(each.figures()) for each in found.promises if len(each.classes) > 1
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _plots(found: Propensities, currency: str) -> Iterator[Plot]:
    singles = next((each for each in found.promises if len(each.classes) > 1), None)
    for place, each in enumerate(found.promises):
        yield _pooled(each, f"question{place}")
        for column in _shown(each) if each is singles else ():
            parts = (of[:, column] for of in (each.truth, each.before, each.after))
            caption = f"{_SINGLE} {_points(len(each.truth), 'customers')} Calibrated by: {each.methods[column]}."
            yield Plot(f"class{column}", each.classes[column], caption, reliability_diagram(*parts))
    if found.spend_forecast is not None:
        caption = "Means of tenths of the customers, by what was expected of them. Bars: 95 % intervals of the mean."
        yield Plot("spending", "Expected spend", caption, spending_diagram(found.spend_forecast, currency))


def _pooled(each: CalibrationReport, name: str) -> Plot:
    heap = [of.ravel() for of in (each.truth, each.before, each.after)]
    title, drawn = question(each.question).capitalize(), reliability_diagram(*heap)
    if len(each.classes) == 1:
        caption = f"{each.classes[0].capitalize()}. {_SINGLE} {_points(len(each.truth), 'customers')}"
        return Plot(name, title, f"{caption} Calibrated by: {each.methods[0]}.", drawn)
    summary = each.summary()
    said = ", ".join(f"{when} {summary[key]:.3f}" for when, key in _POOLED_ECE.items())
    caption = f"{_SINGLE} {_points(heap[0].size, 'pairs')} {_POOLED} ECE of the heap: {said}."
    return Plot(name, f"{title}: {len(each.classes):,} classes pooled", caption, drawn)


def _points(n: int, what: str) -> str:
    return f"Each point: {n // min(N_BINS, n):,} {what}."


def _shown(each: CalibrationReport) -> np.ndarray:
    """Columns of a common, a middling and a rare class: the rarest tells least, so the lowest quarter stands for it."""
    order = np.argsort(-each.truth.mean(axis=0), kind="stable")
    return order[np.unique(np.linspace(0, 0.75 * (len(order) - 1), SHOWN).round().astype(int))]


def _counted(why: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in why.items())
