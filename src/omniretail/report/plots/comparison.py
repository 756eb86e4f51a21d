"""The plots: each a function from a comparison to a matplotlib Figure, without any global state."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from omniretail.metrics.names import group_label, label, lower_is_better
from omniretail.metrics.significance import bootstrap_interval
from omniretail.report.plots.label_placement import at_ends, beside
from omniretail.report.plots.style import FAINT, GRID, LineStyle, canvas, line_styles, short, styled
from omniretail.report.tables.activity_groups import Groups, by_group, groups
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.report.tables.comparison_text import tied
from omniretail.report.tables.format import figure
from omniretail.report.tables.legend import TIED
from omniretail.result import Result

MAX_LINES = 5
"""More lines than these cannot be distinguished."""


@styled
def accuracy(table: pd.DataFrame) -> Figure:
    """Every model's primary metric with its interval, the best on top.

    Args:
        table: from ``comparison``.
    """
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    plot, (axes,) = canvas(height=0.9 + 0.28 * len(table))
    _dots(axes, table, table[[primary, f"{primary}_low", f"{primary}_high"]].to_numpy())
    for row, value in enumerate(table[primary]):
        axes.text(1.02, row, figure(value), transform=axes.get_yaxis_transform(), va="center", fontsize=9)
    if baseline is not None:
        axes.axvline(table.loc[baseline, primary], color=GRID, linestyle=":", linewidth=1, zorder=0)
    axes.set_xlabel(f"{label(primary)}, mean and 95 % interval")
    return plot


@styled
def accuracy_by_cost(table: pd.DataFrame) -> Figure:
    """The primary metric against the seconds to learn and to score; a line joins the best per cost.

    Args:
        table: from ``comparison``, with ``fit_s``.
    """
    primary = shown_metrics(table)[0]
    cost = np.maximum(table.filter(items=["fit_s", "score_s"]).sum(axis="columns").to_numpy(float), 0.01)
    plot, (axes,) = canvas(height=4.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # some label also where all cost about the same
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    front = _front(cost, table[primary].to_numpy(float), lower_is_better(primary))
    axes.plot(*front.T, color=GRID, linewidth=1, zorder=0)
    axes.set_xlabel("seconds to learn and to score (log scale)")
    _scatter(axes, table, cost, taken=np.hstack([front[:-1], front[1:]]))
    return plot


@styled
def accuracy_by_coverage(table: pd.DataFrame, results: Mapping[str, Result]) -> Figure:
    """The primary metric against the share of the catalogue that is shown to anybody.

    Args:
        table: from ``comparison``.
        results: one per model, by name.
    """
    coverage = coverage_key(table)
    plot, (axes,) = canvas(height=4.2)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.set_xlabel(f"{label(coverage)}: share of the catalogue that stands in somebody's list")
    _scatter(axes, table, np.array([results[name].value(coverage) for name in table.index]))
    return plot


@styled
def lift_by_activity(table: pd.DataFrame, results: Mapping[str, Result]) -> Figure:
    """What the best models gain over the baseline, by the customer's activity.

    Args:
        table: from ``comparison``, with a baseline.
        results: one per model, by name.
    """
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    assert baseline is not None
    chosen = table.index.drop(baseline)[:MAX_LINES]
    base = results[baseline].per_unit
    gains = {name: (results[name].per_unit[primary] - base[primary]).reindex(base.index).to_numpy() for name in chosen}
    plot, (axes,) = canvas(height=4.0)
    axes.axhline(0, color=GRID, linewidth=1, zorder=0)
    ends = _lines(axes, gains, groups(base.n_history.to_numpy()), _styles(table))
    axes.set_ylabel(f"{label(primary)} gained over {short(baseline)}")
    at_ends(axes, ends)
    return plot


@styled
def repeat_and_new(table: pd.DataFrame, results: Mapping[str, Result]) -> Figure:
    """The primary metric on items that the customer had before and on new ones, side by side.

    Args:
        table: from ``comparison``.
        results: one per model, by name, with the metric of repeat items and of new items.
    """
    primary = shown_metrics(table)[0]
    plot, panels = canvas(height=1.2 + 0.28 * len(table), columns=2)
    for axes, part in zip(panels, ("repeat", "new"), strict=True):
        values = pd.concat([results[name].per_unit[f"{part}_{primary}"] for name in table.index], axis="columns")
        _dots(axes, table, np.column_stack([values.mean(), *bootstrap_interval(values.to_numpy())]))
        axes.set_xlim(left=0)
        axes.set_xlabel(f"{label(primary)}, {part} items")
    return plot


@styled
def groups_of_metric(table: pd.DataFrame, metric: str) -> Figure:
    """One metric of several groups, a row per group and a mark per model, with intervals.

    Args:
        table: from ``comparison``.
        metric: without the groups, e.g. ``auc`` for ``churn/auc``.
    """
    keys = keys_of_groups(table, metric)
    models, styles = list(table.index[:MAX_LINES]), _styles(table)
    plot, (axes,) = canvas(height=1.1 + 0.42 * len(keys))
    for place, name in enumerate(models):
        y = np.arange(len(keys)) + (place - (len(models) - 1) / 2) * 0.12
        value, low, high = (
            table.loc[name, [key + end for key in keys]].to_numpy(float) for end in ("", "_low", "_high")
        )
        axes.hlines(y, low, high, color=styles[name].colour, linewidth=1.6, alpha=0.55)
        axes.plot(value, y, linestyle="", marker=styles[name].marker, color=styles[name].colour, label=short(name))
    axes.set_yticks(range(len(keys)), [group_label(key.rpartition("/")[0]) for key in keys])
    axes.set_ylim(len(keys) - 0.4, -0.6)
    axes.set_xlabel(f"{label(metric)}, with 95 % interval")
    axes.grid(axis="x", color=GRID, alpha=0.25, linewidth=0.6)
    if len(models) > 1:
        plot.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    return plot


def keys_of_groups(table: pd.DataFrame, metric: str) -> list[str]:
    """The keys in a comparison that are this metric of a group."""
    return [key for key in shown_metrics(table) if key.endswith(f"/{metric}")]


@styled
def accuracy_by_activity(result: Result, primary: str) -> Figure:
    """One model's primary metric by the customer's activity.

    Args:
        result: of one run.
        primary: key of a metric with a value per user.
    """
    plot, (axes,) = canvas(height=3.4)
    grouped = groups(result.per_unit.n_history.to_numpy())
    values = {result.model: result.per_unit[primary].to_numpy()}
    _lines(axes, values, grouped, line_styles([result.model], baseline=None))
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"{label(primary)}, mean and 95 % interval")
    axes.set_title(f"{short(result.model, 40)}, {result.stage}", loc="left", fontsize=11, pad=20)
    return plot


def coverage_key(table: pd.DataFrame) -> str:
    """The coverage that belongs to the primary metric's list length."""
    return f"coverage_at_{shown_metrics(table)[0].rpartition('_')[2]}"


def _styles(table: pd.DataFrame) -> dict[str, LineStyle]:
    return line_styles(list(table.index), baseline_of(table))


def _dots(axes: Axes, table: pd.DataFrame, estimates: np.ndarray) -> None:
    """One row per model, the best on top; ``estimates`` holds mean, low and high, shape (models, 3)."""
    styles = _styles(table)
    for row, (name, (mean, low, high)) in enumerate(zip(table.index, estimates, strict=True)):
        axes.plot([low, high], [row, row], color=styles[name].colour, linewidth=2, solid_capstyle="butt", alpha=0.55)
        _mark(axes, mean, row, styles[name])
    names = [short(name) + (TIED if mark else "") for name, mark in zip(table.index, tied(table), strict=True)]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, alpha=0.25, linewidth=0.6)


def _front(cost: np.ndarray, value: np.ndarray, lowest: bool) -> np.ndarray:
    """The corners of the step line that joins the best value to be had at each cost; shape (corners, 2)."""
    cheapest_first = np.argsort(cost, kind="stable")
    best = (np.minimum if lowest else np.maximum).accumulate(value[cheapest_first])
    return np.column_stack([np.repeat(cost[cheapest_first], 2)[1:], np.repeat(best, 2)[:-1]])


def _scatter(axes: Axes, table: pd.DataFrame, x: np.ndarray, taken: np.ndarray | None = None) -> None:
    """Every model's primary metric over ``x``, shape (models,), named where nothing of ``taken`` is covered."""
    primary, styles = shown_metrics(table)[0], _styles(table)
    mean, low, high = (table[primary + end].to_numpy() for end in ("", "_low", "_high"))
    for i, name in enumerate(table.index):
        axes.plot([x[i], x[i]], [low[i], high[i]], color=styles[name].colour, linewidth=1.2, alpha=0.55)
        _mark(axes, x[i], mean[i], styles[name])
    axes.margins(x=0.12, y=0.08)
    axes.set_ylabel(label(primary))
    axes.grid(color=GRID, alpha=0.25, linewidth=0.6)
    intervals = np.column_stack([x, low, x, high])
    points = {name: (x[i], mean[i]) for i, name in enumerate(table.index)}
    beside(axes, points, intervals if taken is None else np.vstack([intervals, taken]))


def _lines(
    axes: Axes, values: Mapping[str, np.ndarray], grouped: Groups, styles: Mapping[str, LineStyle]
) -> dict[str, tuple[float, float]]:
    """A line per model over the groups, a little offset so that intervals can be seen; where each ends is returned."""
    table, ends = by_group(values, grouped), {}
    for i, name in enumerate(values):
        part = table[table.name == name]
        x = np.asarray(part["group"]) + (i - (len(values) - 1) / 2) * 0.09
        axes.plot(x, part["mean"], color=styles[name].colour, linewidth=1.2, marker=styles[name].marker, markersize=5)
        axes.vlines(x, part.low, part.high, color=styles[name].colour, linewidth=1.6, alpha=0.55)
        ends[name] = (x[-1], np.asarray(part["mean"])[-1])
    _groups_axis(axes, grouped)
    return ends


def _groups_axis(axes: Axes, grouped: Groups) -> None:
    axes.set_xticks(range(len(grouped.names)), grouped.names)
    axes.set_xlabel("events in the customer's history; above, how many customers")
    axes.grid(axis="y", color=GRID, alpha=0.25, linewidth=0.6)
    for group, size in enumerate(grouped.sizes):
        place = axes.get_xaxis_transform()
        axes.text(group, 1.02, f"{size:,}", transform=place, ha="center", color=FAINT, fontsize=8.5)


def _mark(axes: Axes, x: float, y: float, style: LineStyle) -> None:
    axes.plot(x, y, marker=style.marker, color=style.colour, markersize=6, markeredgewidth=0, clip_on=False)
