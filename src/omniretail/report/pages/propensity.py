"""The page of the propensity task: one HTML file that needs no network and no script."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from omniretail.profile.propensity.calibration_report import CalibrationReport
from omniretail.profile.propensity.evaluate import Propensities
from omniretail.profile.windows import date_text
from omniretail.report.pages.propensity_text import (
    CLASS_HEADINGS,
    NOTES,
    SPEND_HEADINGS,
    SUMMARY_HEADINGS,
    class_rows,
    question,
    sentences,
    spend_notes,
    spend_rows,
    summary_rows,
)
from omniretail.report.pages.templates import write_page
from omniretail.report.plots.captions import Plot
from omniretail.report.plots.reliability import N_BINS, reliability_diagram, spend_diagram
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

N_SHOWN = 3
"""Single classes that get a diagram of their own."""
_POOLED_ECE = {"before": "ece_pooled_before", "after": "ece_pooled", "if exact": "ece_pooled_if_calibrated"}
_POOLED = "Every pair of customer and class counts once; a customer's pairs are dependent, so the bars are too short."
_SINGLE = "Points on the dotted line are calibrated. Bars: 95 % intervals by Wilson."


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write metrics before and after calibration, and diagrams.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.propensity``.
        card: of the dataset.
    """
    propensities: Propensities = evaluation.findings
    spend, reports = propensities.spend, propensities.reports
    days, start = propensities.window_s // 86400, date_text(propensities.at)
    context = (
        f"{card.title}: what each of {len(propensities.ids):,} customers does in the {days} days from {start} on, "
        "predicted from events before."
    )
    write_page(
        path,
        "propensity",
        title="What customers will do",
        sentences=[context, *sentences(reports)],
        headings=SUMMARY_HEADINGS,
        rows=summary_rows(reports),
        notes=NOTES,
        facts=_facts(propensities, evaluation.result),
        data=card,
        spend_headings=SPEND_HEADINGS,
        spend=[] if spend is None else spend_rows(spend.metrics()),
        spend_notes=[] if spend is None else spend_notes(spend),
        left_out=[f"{question(name)}: {_counted(why)}." for name, why in propensities.left_out.items()],
        plots=list(_plots(propensities, card.currency)),
        class_headings=CLASS_HEADINGS,
        classes={question(each.question): class_rows(each.per_class) for each in reports if len(each.classes) > 1},
    )


def _facts(propensities: Propensities, result: Result) -> dict[str, str]:
    first, second, third, end = (date_text(propensities.at + n * propensities.window_s) for n in (-2, -1, 0, 1))
    cost = result.cost
    return {
        "Encoder": result.model,
        "Customers": f"{len(propensities.ids):,}",
        "Learned in": f"[{first}, {second})",
        "Calibrated in": f"[{second}, {third})",
        "Evaluated in": f"[{third}, {end})",
        "Seconds": f"fit {cost['fit_s']:.1f}, embed {cost['score_s']:.1f}, learn and predict {cost['probe_s']:.1f}",
    }


def _plots(propensities: Propensities, currency: str) -> Iterator[Plot]:
    with_classes = next((each for each in propensities.reports if len(each.classes) > 1), None)
    for place, each in enumerate(propensities.reports):
        yield _pooled(each, f"question{place}")
        for column in _shown(each) if each is with_classes else ():
            parts = (of[:, column] for of in (each.truth, each.before, each.after))
            caption = f"{_SINGLE} {_points(len(each.truth), 'customers')} Calibrated by: {each.methods[column]}."
            yield Plot(f"class{column}", each.classes[column], caption, reliability_diagram(*parts))
    if propensities.spend is not None:
        caption = "Means of tenths of the customers, by expected spend. Bars: 95 % intervals of the mean."
        yield Plot("spend", "Expected spend", caption, spend_diagram(propensities.spend, currency))


def _pooled(report: CalibrationReport, name: str) -> Plot:
    pooled = [of.ravel() for of in (report.truth, report.before, report.after)]
    title, diagram = question(report.question).capitalize(), reliability_diagram(*pooled)
    if len(report.classes) == 1:
        caption = f"{report.classes[0].capitalize()}. {_SINGLE} {_points(len(report.truth), 'customers')}"
        return Plot(name, title, f"{caption} Calibrated by: {report.methods[0]}.", diagram)
    errors = ", ".join(f"{when} {report.metrics[key]:.3f}" for when, key in _POOLED_ECE.items())
    caption = f"{_SINGLE} {_points(pooled[0].size, 'pairs')} {_POOLED} ECE of all pairs: {errors}."
    return Plot(name, f"{title}: {len(report.classes):,} classes pooled", caption, diagram)


def _points(n: int, what: str) -> str:
    return f"Each point: {n // min(N_BINS, n):,} {what}."


def _shown(report: CalibrationReport) -> np.ndarray:
    """Columns of a frequent, a medium and a rare class: at the top, the middle and three quarters of the order."""
    order = np.argsort(-report.truth.mean(axis=0), kind="stable")
    return order[np.unique(np.linspace(0, 0.75 * (len(order) - 1), N_SHOWN).round().astype(int))]


def _counted(why: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in why.items())
