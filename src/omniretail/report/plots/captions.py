"""Which plots a comparison gets, and one sentence each on how to read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from omniretail.metrics.names import label, lower_is_better
from omniretail.report.plots import comparison as figures
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.report.tables.legend import TIED
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
    if len(table) > 1:
        yield from _of_models(table)
        yield from _of_recommenders(table, results)
    elif {shown_metrics(table)[0], "n_history"} <= {*results[str(table.index[0])].per_unit.columns}:
        yield _of_one_recommender(shown_metrics(table)[0], results[str(table.index[0])])
    yield from _of_groups(table)


def _of_models(table: pd.DataFrame) -> Iterator[Plot]:
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    name, (side, height) = label(primary), ("left", "Down") if lower_is_better(primary) else ("right", "Up")
    yield Plot(
        "accuracy",
        f"{name} by model",
        f"Further {side} is better; where two bars overlap widely, check p before the order. {TIED} marks "
        f"models not significantly different from the best{'; the dotted line is the baseline' if baseline else ''}.",
        figures.accuracy(table),
    )
    if "fit_s" in table:
        yield Plot(
            "cost",
            f"{name} against cost",
            f"{height} and left is better; along the grey line lie the models that no cheaper one beats.",
            figures.accuracy_by_cost(table),
        )


def _of_recommenders(table: pd.DataFrame, results: Mapping[str, Result]) -> Iterator[Plot]:
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    name, judged = label(primary), [results[model] for model in table.index]
    if all(figures.coverage_key(table) in result.values() for result in judged):
        yield Plot(
            "coverage",
            f"{name} against catalogue coverage",
            "Up is more accurate, right shows more of the catalogue; a model far left lives on a few best-sellers.",
            figures.accuracy_by_coverage(table, results),
        )
    if baseline is not None and all({primary, "n_history"} <= {*result.per_unit.columns} for result in judged):
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
            "Repeat and new items",
            "Left: items that the customer had before; right: items that are new to them. The two scales differ.",
            figures.repeat_and_new(table, results),
        )


def _of_one_recommender(primary: str, result: Result) -> Plot:
    return Plot(
        "activity",
        f"{label(primary)} by customer activity",
        "Each point is the mean for a group of customers, from least to most active, with its 95 % interval.",
        figures.accuracy_by_activity(result, primary),
    )


def _of_groups(table: pd.DataFrame) -> Iterator[Plot]:
    """A plot for each metric that several groups have."""
    names = [metric.rpartition("/")[2] for metric in shown_metrics(table)]
    for metric in dict.fromkeys(name for name in names if len(figures.keys_of_groups(table, name)) > 1):
        better = "left" if lower_is_better(metric) else "right"
        first = f" Shown: the first {figures.MAX_LINES} models of the table." if len(table) > figures.MAX_LINES else ""
        yield Plot(
            f"groups_{metric}",
            f"{label(metric)} by group",
            f"Further {better} is better; bars are 95 % intervals.{first}",
            figures.groups_of_metric(table, metric),
        )
