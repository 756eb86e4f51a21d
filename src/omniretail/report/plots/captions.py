"""Which plots a comparison gets, and one sentence each on how to read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from omniretail.metrics.names import label
from omniretail.report.plots import comparison as figures
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.report.tables.format import TIED
from omniretail.result import Result


@dataclass(frozen=True)
class Plot:
    """A figure with what a reader needs beside it.

    Attributes:
        name: for files and ids.
        title: above it.
        caption: how to read it, in a sentence.
        figure: the drawing.
    """

    name: str
    title: str
    caption: str
    figure: Figure


def plots(table: pd.DataFrame, results: Mapping[str, Result]) -> Iterator[Plot]:
    """Every plot that the comparison has the figures for.

    Args:
        table: from ``comparison``.
        results: one per model, by the table's names (see ``merged``).
    """
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    name = label(primary)
    judged = [results[model] for model in table.index]
    yield Plot(
        "accuracy",
        f"{name} by model",
        f"Further right is better; where two bars overlap widely, look at p before believing the order. {TIED} marks "
        f"models not significantly different from the best{'; the dotted line is the baseline' if baseline else ''}.",
        figures.accuracy(table),
    )
    yield Plot(
        "cost",
        f"{name} against cost",
        "Up and left is better; along the grey line lie the models that no cheaper one beats.",
        figures.accuracy_by_cost(table),
    )
    if all(figures.coverage_key(table) in result.values() for result in judged):
        yield Plot(
            "coverage",
            f"{name} against catalogue coverage",
            "Up is more accurate, right shows more of the catalogue; a model far left lives on a few best-sellers.",
            figures.accuracy_by_coverage(table, results),
        )
    if baseline is not None:
        yield Plot(
            "activity",
            f"Gain over {baseline} by customer activity",
            f"Each point is the mean gain in {name} for a group of customers, from least to most active; where an "
            f"interval touches zero, {baseline} would have served them as well. Shown: the best {figures.MAX_LINES}.",
            figures.lift_by_activity(table, results),
        )
    if all({f"repeat_{primary}", f"new_{primary}"} <= set(result.per_unit.columns) for result in judged):
        yield Plot(
            "repeat_and_new",
            "Repeat and new items apart",
            "Left: finding again what the customer had before; right: finding what is new to them. Mind that the two "
            "scales differ.",
            figures.repeat_and_new(table, results),
        )
