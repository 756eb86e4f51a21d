"""The page of the propensity task: what customers will do, who is most likely to, and how far to trust it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.profile.propensity.calibration_report import CalibrationReport
from omniretail.profile.propensity.evaluate import Propensities
from omniretail.profile.windows import date_text
from omniretail.report.charts.calibration import N_BINS, reliability_chart, spend_chart
from omniretail.report.charts.chart import Chart
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.files import write_beside
from omniretail.report.pages.page import Page, Section, Table, table_section
from omniretail.report.pages.propensity_text import (
    CLASS_HEADINGS,
    NOTES,
    SPEND_HEADINGS,
    SUMMARY_HEADINGS,
    class_rows,
    expected,
    question,
    sentences,
    spend_notes,
    spend_rows,
    summary_rows,
)
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

N_SHOWN = 3
"""Single classes that get a diagram of their own."""
_N_CUSTOMERS = 20
_POOLED_ECE = {"before": "ece_pooled_before", "after": "ece_pooled", "if exact": "ece_pooled_if_calibrated"}
_POOLED = "Every pair of customer and class counts once; a customer's pairs are dependent, so the bars are too short."
_SINGLE = "Points on the dotted line are calibrated. Bars: 95 % intervals by Wilson."


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write counts, customers, metrics before and after calibration, and diagrams; all customers go into a CSV file.

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
    summary = Table(pd.DataFrame(summary_rows(reports), columns=SUMMARY_HEADINGS), NOTES)
    sections = [
        _customers(path, propensities, card),
        Section("Before and after calibration", tables=[summary], charts=list(_charts(propensities, card.currency))),
    ]
    if spend is not None:
        cells = pd.DataFrame(spend_rows(spend.metrics()), columns=SPEND_HEADINGS)
        sections.append(table_section("Expected spend", cells, spend_notes(spend)))
    for each in reports:
        if len(each.classes) > 1:
            cells = pd.DataFrame(class_rows(each.per_class), columns=CLASS_HEADINGS)
            name = f"{question(each.question).capitalize()}: every class"
            sections.append(Section(name, tables=[Table(cells)], closed=True))
    Page(
        title="What customers will do",
        card=card,
        sentences=[*expected(propensities, card.currency), context, *sentences(reports)],
        sections=sections,
        terms=_facts(propensities, evaluation.result) | protocol_terms(evaluation.result),
        notes=[f"Left out, {question(name)}: {_counted(why)}." for name, why in propensities.left_out.items()],
    ).write(path)


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


def _customers(path: Path, propensities: Propensities, card: DatasetCard) -> Section:
    """The customers whose staying away would cost most: its probability times what they spent before."""
    table = propensities.table()
    file = write_beside(path, "customers", table)
    unit = f", {card.currency}" if card.currency else ""
    own_rate = np.ones(len(table)) if propensities.spend is None else propensities.spend.own_rate
    order = np.argsort(-table.p_churn.to_numpy() * own_rate, kind="stable")[:_N_CUSTOMERS]
    shown: Any = table.iloc[order]
    cells = pd.DataFrame({"customer": shown.user_id.astype(str), "stays away": shown.p_churn.map("{:.1%}".format)})
    if propensities.spend is not None:
        cells[f"usual spend{unit}"] = [f"{each:,.2f}" for each in own_rate[order]]
        cells[f"expected spend{unit}"] = shown.expected_spend.map("{:,.2f}".format)
    for each in propensities.reports[1:2]:
        best = each.after[order].argmax(axis=1)
        chance = each.after[order, best]
        names = [f"{each.classes[place]} ({p:.0%})" for place, p in zip(best, chance, strict=True)]
        cells[f"most likely {each.question.removesuffix('_propensity')}"] = names
    by = "whose staying away would cost most" if propensities.spend is not None else "most likely to stay away"
    note = (
        f"The {len(cells)} customers {by}, of {len(table):,}. Of 100 customers with 30 %, about 30 do it: see how far "
        "that holds below."
    )
    return Section("Customers", tables=[Table(cells.reset_index(drop=True), [note])], file=file)


def _charts(propensities: Propensities, currency: str) -> Iterator[Chart]:
    with_classes = next((each for each in propensities.reports if len(each.classes) > 1), None)
    for each in propensities.reports:
        yield _pooled(each)
        for column in _shown(each) if each is with_classes else ():
            parts = (of[:, column] for of in (each.truth, each.before, each.after))
            caption = f"{_SINGLE} {_points(len(each.truth), 'customers')} Calibrated by: {each.methods[column]}."
            yield reliability_chart(each.classes[column], caption, *parts)
    if propensities.spend is not None:
        yield spend_chart(propensities.spend, currency)


def _pooled(report: CalibrationReport) -> Chart:
    pooled = [of.ravel() for of in (report.truth, report.before, report.after)]
    title = question(report.question).capitalize()
    if len(report.classes) == 1:
        caption = f"{report.classes[0].capitalize()}. {_SINGLE} {_points(len(report.truth), 'customers')}"
        return reliability_chart(title, f"{caption} Calibrated by: {report.methods[0]}.", *pooled)
    errors = ", ".join(f"{when} {report.metrics[key]:.3f}" for when, key in _POOLED_ECE.items())
    caption = f"{_SINGLE} {_points(pooled[0].size, 'pairs')} {_POOLED} ECE of all pairs: {errors}."
    return reliability_chart(f"{title}: {len(report.classes):,} classes pooled", caption, *pooled)


def _points(n: int, what: str) -> str:
    return f"Each point: {n // min(N_BINS, n):,} {what}."


def _shown(report: CalibrationReport) -> np.ndarray:
    """Columns of a frequent, a medium and a rare class: at the top, the middle and three quarters of the order."""
    order = np.argsort(-report.truth.mean(axis=0), kind="stable")
    return order[np.unique(np.linspace(0, 0.75 * (len(order) - 1), N_SHOWN).round().astype(int))]


def _counted(why: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in why.items())
