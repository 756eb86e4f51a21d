"""Cards of customers and portraits of segments."""

from collections.abc import Sequence
from math import isfinite, log2
from pathlib import Path

import pandas as pd

from omniretail.profile.tags.customer_card import CustomerCard, KeyFigure
from omniretail.profile.tags.predictions import Prediction
from omniretail.profile.tags.purchase_shares import Share
from omniretail.profile.tags.segment_portrait import Portrait
from omniretail.profile.tags.visit_times import Columns
from omniretail.report.charts.bars import beside_everybody, columns
from omniretail.report.charts.chart import Chart
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.amounts import UNKNOWN, amount, percent
from omniretail.schema import DatasetCard
from omniretail.views.profile.dictionary import ALL

_PERIOD = "Unless a period is named, a figure covers all events before the cutoff."


def write_card(
    path: Path, card: CustomerCard, context: str, data: DatasetCard, further: Sequence[Section] = ()
) -> None:
    """Write a customer's card.

    Args:
        path: the file to write; its folder is made.
        card: from ``customer_card``.
        context: a sentence that names the data and the cutoff.
        data: of the source.
        further: sections after the tags, such as predictions.
    """
    tags = {tag.label: tag.definition for tag in card.tags}
    note = (
        "Percentile: the share of customers with a lower value (those with an equal one count half). – where the "
        f"figure is undefined. {_PERIOD}"
    )
    cells = figure_cells(card.figures, ("this customer", "median of all", "percentile"))
    bars = [figure.percentile if isfinite(figure.percentile) else 0.0 for figure in card.figures]
    products = pd.DataFrame(
        [(each.name, each.kind, f"{each.visits:,}", percent(each.share)) for each in card.products],
        columns=["product", "category", "visits", "share of lines"],
    )
    Page(
        title=f"Customer {card.customer}",
        card=data,
        sentences=[_summary(card), f"One of {card.n_customers:,} customers. {context}"],
        sections=[
            Section("Tags", [] if tags else ["None."], terms=tags),
            *further,
            Section("Key figures", tables=[Table(cells, [note], bars={"percentile": bars})]),
            Section(
                "What this customer buys",
                tables=[Table(products)] if len(products) else [],
                charts=[_levels(level, rows, "this customer's") for level, rows in card.levels.items() if rows],
            ),
            _when([*card.rhythm, card.trend], "this customer"),
        ],
    ).write(path)


def write_portrait(path: Path, portrait: Portrait, context: str, data: DatasetCard) -> None:
    """Write a segment's portrait.

    Args:
        path: the file to write; its folder is made.
        portrait: from ``segment_portrait``.
        context: a sentence that names the data and the cutoff.
        data: of the source.
    """
    share = percent(portrait.size / portrait.n_customers)
    cells = figure_cells(portrait.figures, ("mean of the segment", "mean of all", "ratio"))
    note = f"Means over the customers for whom the figure is defined. Bars: from half to double. {_PERIOD}"
    bars = [max(-1.0, min(1.0, _log_ratio(figure))) for figure in portrait.figures]
    rows = [
        (each.name, each.kind, percent(each.share), percent(each.everybody), times(each), f"{each.buyers:,}")
        for each in portrait.products
    ]
    products = pd.DataFrame(rows, columns=["product", "category", "share of lines", "all", "times", "buyers"])
    note_of_products = "The most distinguishing come first; what few customers of the segment buy is not shown."
    tags = [each for each in portrait.tags if each.tag.label != portrait.name]
    Page(
        title=portrait.name,
        card=data,
        sentences=[
            f"{portrait.size:,} of {portrait.n_customers:,} customers, {share}.",
            *([portrait.definition] if portrait.definition else []),
            context,
        ],
        sections=[
            Section("Tags", [] if tags else ["None."], charts=[_tags(tags)] if tags else []),
            Section("Key figures", tables=[Table(cells, [note], bars={"ratio": bars})]),
            Section(
                "What this segment buys more of than others",
                tables=[Table(products, [note_of_products])] if len(products) else [],
                charts=[_levels(level, rows, "the segment's") for level, rows in portrait.levels.items() if rows],
            ),
            _when([*portrait.rhythm, portrait.trend], "the segment, per customer"),
        ],
    ).write(path)


def predictions_section(predictions: Sequence[Prediction], missing: Sequence[str] = ()) -> list[Section]:
    """What the customer will do, and how to read it; empty where nothing was predicted.

    Args:
        predictions: from ``CustomerPredictions``.
        missing: why some are missing, in sentences.
    """
    if not predictions and not missing:
        return []
    rows = [
        (
            each.what[0].upper() + each.what[1:],
            _predicted(each.value, each.unit),
            _predicted(each.everybody, each.unit),
            f"{100 * each.percentile:.0f}",
            f"± {100 * each.error:.1f} points" if isfinite(each.error) else UNKNOWN,
        )
        for each in predictions
    ]
    cells = pd.DataFrame(rows, columns=["prediction", "this customer", "mean of all", "percentile", "calibration"])
    chances = [each.value for each in predictions if each.unit == "probability"]
    example = f"{chances[0]:.0%}" if chances else "30%"
    notes = [
        f"A probability of {example} means: of 100 customers with it, about {example.rstrip('%')} do it. Calibration: "
        "by how much predicted and observed shares differed on average in the window after the cutoff.",
        "Values by BG/NBD and Gamma-Gamma are of the purchases in the split's window.",
    ]
    bars = {"percentile": [each.percentile for each in predictions]}
    return [Section("What this customer will do", missing, [Table(cells, notes, bars=bars)] if rows else [])]


def figure_cells(figures: Sequence[KeyFigure], headings: tuple[str, str, str]) -> pd.DataFrame:
    """Key figures as text, with a customer's percentile or the ratio of a segment's mean to that of all customers."""
    rows = [
        (
            figure.definition[0].upper() + figure.definition[1:],
            "" if figure.window == ALL else figure.window,
            amount(figure.value, figure.unit),
            amount(figure.everybody, figure.unit),
            f"{100 * figure.percentile:.0f}" if isfinite(figure.percentile) else _ratio(figure),
        )
        for figure in figures
    ]
    return pd.DataFrame(rows, columns=["figure", "period", *headings])


def times(share: Share) -> str:
    """The share relative to that of all customers, for people."""
    return f"{share.lift:.1f} ×"


def _summary(card: CustomerCard) -> str:
    """The customer in a sentence."""
    figures = {figure.feature: figure for figure in card.figures}
    known = {"visits": "{} visits", "recency_days": "the last one {} ago", "spend_91": "{} paid in 91 days"}
    parts = [
        words.format(amount(figures[name].value, figures[name].unit))
        for name, words in known.items()
        if name in figures and isfinite(figures[name].value)
    ]
    tags = ", ".join(tag.label.lower() for tag in card.tags)
    words = "; ".join(filter(None, [", ".join(parts), tags])) or "no purchase yet"
    return f"{words[:1].upper()}{words[1:]}."


def _tags(tags: Sequence) -> Chart:
    frame = pd.DataFrame(
        [(each.tag.label, each.share, each.everybody) for each in tags], columns=["name", "value", "everybody"]
    )
    return beside_everybody(frame, "Share with each tag", "Bars: share of the segment. Marks: share of all customers.")


def _levels(level: str, shares: Sequence[Share], whose: str) -> Chart:
    frame = pd.DataFrame(
        [(each.name, each.share, each.everybody) for each in shares], columns=["name", "value", "everybody"]
    )
    name = {"department": "Departments", "category": "Categories"}.get(level, level.capitalize())
    return beside_everybody(frame, name, f"Bars: share of {whose} lines. Marks: the same of all customers.")


def _when(charts: Sequence[Columns], who: str) -> Section:
    drawn = []
    for chart in charts:
        frame = pd.DataFrame({"name": chart.labels, "value": chart.own, "everybody": chart.everybody})
        share = chart.unit == "share"
        unit = "" if share or chart.unit == "count" else chart.unit
        caption = f"Columns: {who}. Lines: the mean of all customers.{' Shares of visits.' if share else ''}"
        drawn.append(columns(frame, chart.title, caption, ".1%" if share else ",.2~f", unit))
    return Section("When", charts=drawn)


def _predicted(value: float, unit: str) -> str:
    return percent(value) if unit == "probability" else amount(value, unit)


def _ratio(figure: KeyFigure) -> str:
    known = isfinite(figure.value) and figure.value > 0 and figure.everybody > 0
    return f"{figure.value / figure.everybody:.2f} ×" if known else UNKNOWN


def _log_ratio(figure: KeyFigure) -> float:
    known = isfinite(figure.value) and figure.value > 0 and figure.everybody > 0
    return log2(figure.value / figure.everybody) if known else 0.0
