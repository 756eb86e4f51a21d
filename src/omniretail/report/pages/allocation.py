"""The page of the allocation task: what each method expects and serves under budgets of several kinds and sizes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from omniretail.metrics.names import group_label
from omniretail.report.pages.sections import Section, write_sections
from omniretail.report.tables.format import NOTHING, figure, probability
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

_NOTES = (
    "Share: of the demand, that budgets can serve. Expected: sum of the probabilities chosen; gap: at most "
    "this share of the optimum is missing. Served: offers whose customer came.",
    "F1 is that of the IJCAI-16 contest, of lists that leave out offers which cost more precision than they bring "
    "recall.",
)


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write the methods beside each other.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``o2o.allocation``.
        card: of the dataset.
    """
    table: pd.DataFrame = evaluation.tables["allocation"]
    result = evaluation.result
    *others, last = (Section(title, cells(part)) for title, part in _by_budgets(table))
    write_sections(
        path,
        title=f"Offers under budgets: {result.model}",
        card=card,
        sentences=_sentences(table, result, card),
        sections=[*others, replace(last, notes=_NOTES)],
        terms={
            "Split": result.protocol["split"],
            "Customers": f"{result.counts['customers']:,}",
            "Stores": f"{result.counts['stores']:,}",
            "Customers and stores that meet": f"{result.counts['visited_pairs']:,}",
            "Parameters": result.parameters or NOTHING,
        },
    )


def cells(part: pd.DataFrame) -> pd.DataFrame:
    """One row per share and method, as text.

    Args:
        part: rows of one kind of budget and one number of offers per customer.
    """
    sizes = pd.DataFrame(part[(part.aim == "value") & part.tightness.notna()])
    f1 = part[part.aim == "f1"].set_index(["tightness", "method"]).f1
    rows = [
        {
            "share": f"{row['tightness']:g}",
            "method": row["method"],
            "offers": f"{row['offers']:,.0f}",
            "expected": f"{row['expected']:,.1f}",
            "gap ≤": NOTHING if pd.isna(row["gap"]) else f"{row['gap']:.2%}",
            "served": f"{row['served']:,.0f}",
            "precision": figure(row["precision"]),
            "F1": figure(f1[row["tightness"], row["method"]]),
        }
        for row in sizes.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _sentences(table: pd.DataFrame, result: Result, card: DatasetCard) -> list[str]:
    """How the methods differ over all sizes of a kind of budget."""
    texts = [f"{card.title}: offers for {result.counts['customers']:,} customers, judged by who came."]
    for title, part in _by_budgets(pd.DataFrame(table[table.tightness.isna() & (table.aim == "value")])):
        first, *others = part.to_dict("records")
        texts += [
            f"{title}: {row['method']} serves {row['served']:,.0f}, {first['method']} {first['served']:,.0f} "
            f"(p {probability(row['p'])})."
            for row in others
        ]
    return texts


def _by_budgets(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of each kind of budget and number of offers, under a title."""
    for kind, k in dict.fromkeys(zip(table.kind, table.k, strict=True)):
        budgets = "Equal budgets" if kind == "equal" else f"Budgets by {group_label(kind)}"
        yield f"{budgets}, {k} per customer", pd.DataFrame(table[(table.kind == kind) & (table.k == k)])
