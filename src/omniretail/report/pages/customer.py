"""Cards of customers and portraits of segments, each one HTML file that needs no network and no script."""

from pathlib import Path
from typing import Any

from omniretail.profile.tags.customer_card import CustomerCard
from omniretail.profile.tags.purchase_shares import Share
from omniretail.profile.tags.segment_portrait import Portrait
from omniretail.report.pages.templates import write_page
from omniretail.report.plots.bars import column_chart, figure_rows, percent, share_bars, times
from omniretail.schema import DatasetCard


def write_card(path: Path, card: CustomerCard, context: str, data: DatasetCard) -> None:
    """Write a customer's card.

    Args:
        path: the file to write; its folder is made.
        card: from ``customer_card``.
        context: a sentence that names the data and the cutoff.
        data: of the source.
    """
    page = {
        "title": f"Customer {card.customer}",
        "sentences": [f"One of {card.n_customers:,} customers."],
        "tags": card.tags,
        "tag_bars": [],
        "headings": ("This customer", "Median of all", "Percentile", "0 lowest, 100 highest"),
        "figures": figure_rows(card.figures),
        "figures_note": "Percentile: the share of customers with a lower value (those with an equal one count half). "
        "The line marks the middle. – where the figure is undefined.",
        "purchases_title": "What this customer buys",
        "levels": {_plural(level): share_bars(rows) for level, rows in card.levels.items()},
        "product_headings": ("visits", "share of lines"),
        "products": [_row(each, f"{each.visits:,}", percent(each.share)) for each in card.products],
        "purchases_note": "Bars: share of this customer's lines. Marks: the same of all customers.",
        "charts": [column_chart(chart) for chart in (*card.rhythm, card.trend)],
        "who": "this customer",
        "rhythm_note": "Weekdays and hours are shares of visits.",
    }
    write_page(path, "portrait", context=context, data=data, **page)


def write_portrait(path: Path, portrait: Portrait, context: str, data: DatasetCard) -> None:
    """Write a segment's portrait.

    Args:
        path: the file to write; its folder is made.
        portrait: from ``segment_portrait``.
        context: a sentence that names the data and the cutoff.
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
        "figures_note": "Means over the customers for whom the figure is defined. The line marks a ratio of 1.",
        "purchases_title": "What this segment buys more of than others",
        "levels": {_plural(level): share_bars(rows, with_lift=True) for level, rows in portrait.levels.items()},
        "product_headings": ("share of lines", "all", "times", "buyers"),
        "products": [_typical_row(each) for each in portrait.products],
        "purchases_note": "Bars: share of the segment's lines; marks: the same of all customers; ×: the ratio of the "
        "two. The most distinguishing come first; what few customers of the segment buy is not shown.",
        "charts": [column_chart(chart) for chart in (*portrait.rhythm, portrait.trend)],
        "who": "the segment, per customer",
        "rhythm_note": "Weekdays and hours are shares of visits.",
    }
    write_page(path, "portrait", context=context, data=data, **page)


def _row(product: Share, *cells: str) -> dict[str, Any]:
    return {"name": product.name, "kind": product.kind, "cells": cells}


def _typical_row(product: Share) -> dict[str, Any]:
    return _row(product, percent(product.share), percent(product.everybody), times(product), f"{product.buyers:,}")


def _plural(level: str) -> str:
    return {"department": "Departments", "category": "Categories"}.get(level, level.capitalize())
