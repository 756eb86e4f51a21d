"""Cards of customers, portraits of segments and the table of tags, each one HTML file without scripts or network."""

from pathlib import Path
from typing import Any

import pandas as pd

from omniretail import schema
from omniretail.profile.tags.customer_card import CustomerCard
from omniretail.profile.tags.purchase_shares import Share
from omniretail.profile.tags.segment_portrait import Portrait
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.report.pages.templates import rendered
from omniretail.report.plots.bars import column_chart, figure_rows, percent, share_bars, times


def write_card(path: Path, card: CustomerCard, context: str, data: schema.DatasetCard) -> None:
    """Write a customer's card.

    Args:
        path: the file to write.
        card: from ``customer_card``.
        context: a sentence that says which data this is, and of which moment.
        data: of the source.
    """
    page = {
        "title": f"Customer {card.customer}",
        "sentences": [f"One of {card.n_customers:,} customers."],
        "tags": card.tags,
        "tag_bars": [],
        "headings": ("This customer", "Median of all", "Place", "0 the lowest, 100 the highest"),
        "figures": figure_rows(card.figures),
        "figures_note": "Place: of a hundred customers, how many have less (those with the same count half). "
        "The line marks the middle. – where the customer's log cannot say.",
        "purchases_title": "What this customer buys",
        "levels": {_plural(level): share_bars(rows) for level, rows in card.levels.items()},
        "product_headings": ("visits", "share of lines"),
        "products": [_row(each, f"{each.visits:,}", percent(each.share)) for each in card.products],
        "purchases_note": "Bars: share of this customer's lines. Marks: the same of all customers.",
        "charts": [column_chart(chart) for chart in (*card.rhythm, card.trend)],
        "who": "this customer",
        "rhythm_note": "Weekdays and hours are shares of visits.",
    }
    _write(path, "portrait", context=context, data=data, **page)


def write_portrait(path: Path, portrait: Portrait, context: str, data: schema.DatasetCard) -> None:
    """Write a segment's portrait.

    Args:
        path: the file to write.
        portrait: from ``segment_portrait``.
        context: a sentence that says which data this is, and of which moment.
        data: of the source.
    """
    share = percent(portrait.size / portrait.n_customers)
    size = f"{portrait.size:,} of {portrait.n_customers:,} customers, {share}."
    page = {
        "title": portrait.name,
        "sentences": [size, *([portrait.definition] if portrait.definition else [])],
        "tags": [],
        "tag_bars": share_bars([each for each in portrait.tags if each.tag.label != portrait.name]),
        "headings": ("Mean of the segment", "Mean of all", "Ratio", "Half to double"),
        "figures": figure_rows(portrait.figures),
        "figures_note": "Means over the customers whose log can say. The line marks where the segment is as everybody.",
        "purchases_title": "What this segment buys more of than others",
        "levels": {_plural(level): share_bars(rows, with_lift=True) for level, rows in portrait.levels.items()},
        "product_headings": ("share of lines", "all", "times", "buyers"),
        "products": [_typical_row(each) for each in portrait.products],
        "purchases_note": "Bars: share of the segment's lines; marks: the same of all customers; ×: how many times "
        "that is. What tells the segment apart most comes first; what few of it bought is not shown.",
        "charts": [column_chart(chart) for chart in (*portrait.rhythm, portrait.trend)],
        "who": "the segment, per customer",
        "rhythm_note": "Weekdays and hours are shares of visits.",
    }
    _write(path, "portrait", context=context, data=data, **page)


def write_tags(
    path: Path, learned: LearnedTags, stability: pd.DataFrame, context: str, data: schema.DatasetCard, days: float = 28
) -> None:
    """Write the table of all tags.

    Args:
        path: the file to write.
        learned: the tags.
        stability: from ``tags.stability``.
        context: a sentence that says which data this is, and of which moment.
        data: of the source.
        days: between the two looks of ``stability``.
    """
    rows = tag_rows(learned, stability)
    page = {"title": "Tags", "rows": rows, "left_out": dict(learned.left_out), "days": f"{days:g}"}
    _write(path, "tags", context=context, data=data, **page)


def tag_rows(learned: LearnedTags, stability: pd.DataFrame) -> list[dict[str, Any]]:
    """The tags in words and figures, for a page or a terminal; in the order of their yaml."""
    rows = []
    for tag in learned.tags:
        share, kept, jaccard = (float(stability.loc[tag.name, name]) for name in ("share", "kept", "jaccard"))
        words = {"name": tag.name, "label": tag.label, "definition": tag.definition, "window": tag.window}
        figures = {"share": percent(share), "kept": percent(kept), "jaccard": percent(jaccard)}
        customers = f"{int(stability.loc[tag.name, 'customers']):,}"
        width = round(100 * share, 1) if share == share else 0
        rows.append({**words, **figures, "rule": learned.rule(tag), "customers": customers, "width": width})
    return rows


def _row(product: Share, *cells: str) -> dict[str, Any]:
    return {"name": product.name, "kind": product.kind, "cells": cells}


def _typical_row(product: Share) -> dict[str, Any]:
    return _row(product, percent(product.share), percent(product.everybody), times(product), f"{product.buyers:,}")


def _plural(level: str) -> str:
    return {"department": "Departments", "category": "Categories"}.get(level, level.capitalize())


def _write(path: Path, template: str, **page: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered(template, **page), encoding="utf-8")
