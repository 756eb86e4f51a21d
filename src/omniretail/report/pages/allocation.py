"""The page of the allocation task: what each method expects and serves under budgets of several kinds and sizes."""

from collections.abc import Iterator
from pathlib import Path

import altair as alt
import pandas as pd

from omniretail.metrics.names import group_label
from omniretail.report.charts.chart import PERCENT, Chart, tooltip
from omniretail.report.charts.style import colour, line_styles, shape
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.files import write_beside
from omniretail.report.pages.in_words import parameters_in_words
from omniretail.report.pages.page import Page, Section, Table
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
_N_CUSTOMERS = 20


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write the methods beside each other; who is sent to which store goes into a CSV file beside the page.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``o2o.allocation``.
        card: of the dataset.
    """
    table: pd.DataFrame = evaluation.tables["allocation"]
    result = evaluation.result
    sections = [_section(title, part) for title, part in _by_budgets(table)]
    if "assigned" in evaluation.tables:
        sections.append(_customers(path, evaluation.tables["assigned"]))
    Page(
        title=f"Offers under budgets: {result.model}",
        card=card,
        sentences=_sentences(table, result, card),
        sections=sections,
        terms={
            "Customers": f"{result.counts['customers']:,}",
            "Stores": f"{result.counts['stores']:,}",
            "Customers and stores that meet": f"{result.counts['visited_pairs']:,}",
            "Parameters": parameters_in_words(result.parameters),
        }
        | protocol_terms(result),
        notes=_NOTES,
    ).write(path)


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


def _section(title: str, part: pd.DataFrame) -> Section:
    return Section(title, tables=[Table(cells(part))], charts=[_chart(part)])


def _chart(part: pd.DataFrame) -> Chart:
    """Offers served over the size of the budgets, by method."""
    sizes = (part.aim == "value") & part.tightness.notna()
    frame = pd.DataFrame(part.loc[sizes, ["tightness", "method", "served", "offers", "precision"]])
    styles = line_styles(list(frame.method.unique()))
    base = alt.Chart(frame, height=240).encode(
        x=alt.X("tightness:Q", title="share of the demand that budgets can serve", axis=PERCENT),
        y=alt.Y("served:Q", title="offers whose customer came"),
        color=colour(styles, "method"),
        tooltip=tooltip(
            method="method",
            tightness="share|.0%",
            served="served|,.0f",
            offers="offers|,.0f",
            precision="precision|.2%",
        ),
    )
    spec = base.mark_line(strokeWidth=1.5) + base.mark_point(filled=True, size=60).encode(shape=shape(styles, "method"))
    return Chart("Served by the size of the budgets", "Higher is better; the methods have the same budgets.", spec, 310)


def _customers(path: Path, assigned: pd.DataFrame) -> Section:
    file = write_beside(path, "customers", assigned)
    shown = assigned.head(_N_CUSTOMERS)
    text = (
        shown.assign(probability=shown.probability.map("{:.4f}".format))
        .astype(str)
        .rename(columns={"user_id": "customer"})
    )
    settings = assigned.attrs.get("case", "")
    notes = [f"The first {len(shown)} of {len(assigned):,} offers{settings}."]
    return Section("Who is sent where", tables=[Table(text, notes)], file=file)


def _sentences(table: pd.DataFrame, result: Result, card: DatasetCard) -> list[str]:
    """How the methods differ over all sizes of a kind of budget."""
    texts = []
    for title, part in _by_budgets(pd.DataFrame(table[table.tightness.isna() & (table.aim == "value")])):
        first, *others = part.to_dict("records")
        texts += [
            f"{title}: {row['method']} serves {row['served']:,.0f}, {first['method']} {first['served']:,.0f} "
            f"(p {probability(row['p'])})."
            for row in others
        ]
    return [*texts, f"{card.title}: offers for {result.counts['customers']:,} customers, judged by who came."]


def _by_budgets(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of each kind of budget and number of offers, under a title."""
    for kind, k in dict.fromkeys(zip(table.kind, table.k, strict=True)):
        budgets = "Equal budgets" if kind == "equal" else f"Budgets by {group_label(kind)}"
        yield f"{budgets}, {k} per customer", pd.DataFrame(table[(table.kind == kind) & (table.k == k)])
