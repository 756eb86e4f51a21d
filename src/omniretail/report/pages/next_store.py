"""The page of the next-store task: how often the right store comes first, by question and by group of customers."""

from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.metrics.names import group_label, label
from omniretail.metrics.significance import bootstrap_interval
from omniretail.o2o.stores.visit_metrics import GROUPS, QUESTIONS
from omniretail.report.pages.sections import Section, write_sections
from omniretail.report.tables.format import NOTHING, figure, interval
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
    write_sections(
        path,
        title=f"Which store next: {result.model}",
        card=card,
        sentences=[
            f"{card.title}: the first of {counts['stores']:,} stores is right for the first visit of {accuracy:.0%} of "
            f"{counts['customers_judged']:,} customers."
        ],
        sections=[
            Section("By question", question_cells(result), _QUESTION_NOTES),
            Section("By group", group_cells(result), [f"Stores that customers visited in the {days} days before."]),
        ],
        terms={
            "Split": result.protocol["split"],
            "Visits judged": f"{counts['visits_judged']:,}",
            "… to stores without an earlier visit": f"{counts['visits_to_new_stores']:,}",
            "… of customers without an earlier visit": f"{counts['visits_of_new_customers']:,}",
            "Parameters": result.parameters or NOTHING,
        },
    )


def question_cells(result: Result) -> pd.DataFrame:
    """One row per question, as text."""
    rows = []
    for question in QUESTIONS:
        row = {"question": group_label(question)}
        for metric in _METRICS:
            values = result.per_unit[f"{question}/{metric}"].to_numpy(float)
            row |= {label(metric): figure(float(values.mean())), f"{label(metric)} 95 %": interval(*_ends(values))}
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


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = bootstrap_interval(values)
    return float(low), float(high)
