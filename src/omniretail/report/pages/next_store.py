"""The page of the next-store task: how often the right store comes first, by question and by group of customers."""

from pathlib import Path

import pandas as pd

from omniretail.metrics.names import group_label, label
from omniretail.metrics.significance import bootstrap_interval
from omniretail.o2o.stores.visit_metrics import GROUPS, QUESTIONS
from omniretail.report.charts.chart import Chart
from omniretail.report.charts.models import intervals
from omniretail.report.charts.style import line_styles
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.in_words import parameters_in_words
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.format import figure, interval
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

_METRICS = ("accuracy", "mrr", "recall_at_3")
_QUESTION_NOTES = (
    "Accuracy: the right store comes first; MRR: one over its rank; recall@3: it is among the first three. Each is the "
    "mean over a customer's visits, then over customers.",
    "All features are as of the cutoff; at known time, the model is given the time of the visit too.",
    "95 %: with other customers (bootstrap).",
)


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write the metrics of each question, and of each group of customers.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``o2o.stores``.
        card: of the dataset.
    """
    result: Result = evaluation.result
    counts = result.counts
    days = f"{float(result.protocol['recent_days']):g}"
    accuracy = result.value("first_visit/accuracy")
    groups = Table(group_cells(result), [f"Stores that customers visited in the {days} days before."])
    Page(
        title=f"Which store next: {result.model}",
        card=card,
        sentences=[
            f"{card.title}: the first of {counts['stores']:,} stores is right for the first visit of {accuracy:.0%} of "
            f"{counts['customers_judged']:,} customers."
        ],
        sections=[
            Section("By question", tables=[Table(question_cells(result), _QUESTION_NOTES)], charts=_charts(result)),
            Section("By group", tables=[groups]),
        ],
        terms={
            "Visits judged": f"{counts['visits_judged']:,}",
            "… to stores without an earlier visit": f"{counts['visits_to_new_stores']:,}",
            "… of customers without an earlier visit": f"{counts['visits_of_new_customers']:,}",
            "Parameters": parameters_in_words(result.parameters),
        }
        | protocol_terms(result),
    ).write(path)


def question_cells(result: Result) -> pd.DataFrame:
    """One row per question, as text."""
    rows = []
    for question in QUESTIONS:
        row = {"question": group_label(question)}
        for metric in _METRICS:
            value, low, high = _estimate(result, question, metric)
            row |= {label(metric): figure(value), f"{label(metric)} 95 %": interval(low, high)}
        rows.append(row)
    return pd.DataFrame(rows)


def group_cells(result: Result) -> pd.DataFrame:
    """One row per group of customers, the MRR of each question as text."""
    values, rows = result.values(), []
    for group in GROUPS:
        n = result.counts.get(f"customers_with_{group}", 0)
        mrr = {group_label(q): figure(values.get(f"{q}/{group}/mrr", float("nan"))) for q in QUESTIONS}
        rows.append({"MRR of customers with": group_label(group), "customers": f"{n:,}", **mrr})
    return pd.DataFrame(rows)


def _charts(result: Result) -> list[Chart]:
    """The MRR of each question, and of each group of customers for the first visit."""
    questions = {group_label(question): _estimate(result, question, "mrr") for question in QUESTIONS}
    groups = {
        group_label(group): _estimate(result, f"first_visit/{group}", "mrr")
        for group in GROUPS
        if f"first_visit/{group}/mrr" in result.per_unit
    }
    parts = {"MRR by question": ("question", questions), "MRR of the first visit, by group": ("customers with", groups)}
    return [_chart(title, row, rows) for title, (row, rows) in parts.items() if rows]


def _chart(title: str, row: str, rows: dict[str, tuple[float, float, float]]) -> Chart:
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
    frame = frame.rename_axis(index=row).reset_index()
    spec = intervals(frame, row, "MRR", line_styles(list(rows)))
    return Chart(
        title, "Further right is better: 1 where the right store always comes first.", spec, 60 + 24 * len(rows)
    )


def _estimate(result: Result, group: str, metric: str) -> tuple[float, float, float]:
    """Mean over customers and both ends of its interval."""
    values = result.per_unit[f"{group}/{metric}"].dropna().to_numpy(float)
    low, high = bootstrap_interval(values)
    return float(values.mean()) if len(values) else float("nan"), float(low), float(high)
