"""Charts of recommenders: coverage, the customer's activity, repeat and new items."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from omniretail.metrics.names import label
from omniretail.metrics.significance import bootstrap_interval
from omniretail.report.charts.chart import FIGURE, PERCENT, Chart, opacity_of, picked, tooltip
from omniretail.report.charts.models import MAX_ROWS, estimates, intervals, scatter
from omniretail.report.charts.style import GREY, MAX_STYLES, colour, line_styles, shape
from omniretail.report.tables.activity_groups import Groups, by_group, groups
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.result import Result

_X = "events in the customer's history"


def by_coverage(table: pd.DataFrame, results: Mapping[str, Result]) -> Chart:
    """The primary metric against the share of the catalogue that is shown to anybody.

    Args:
        table: from ``comparison``.
        results: one per model, by name.
    """
    coverage = coverage_key(table)
    frame = estimates(table).assign(coverage=[results[str(name)].value(coverage) for name in table.index])
    title = "share of the catalogue in somebody's list"
    spec = scatter(frame, table, alt.X("coverage:Q", title=title, axis=PERCENT), coverage=f"{label(coverage)}|.2%")
    caption = "Up is more accurate, right shows more of the catalogue; a model far left lives on a few best-sellers."
    return Chart(f"{label(shown_metrics(table)[0])} against catalogue coverage", caption, spec, 340)


def coverage_key(table: pd.DataFrame) -> str:
    """The coverage that belongs to the primary metric's list length."""
    return f"coverage_at_{shown_metrics(table)[0].rpartition('_')[2]}"


def gain_by_activity(table: pd.DataFrame, results: Mapping[str, Result]) -> Chart:
    """What the best models gain over the baseline, by the customer's activity.

    Args:
        table: from ``comparison``, with a baseline.
        results: one per model, by name.
    """
    primary, baseline = shown_metrics(table)[0], str(baseline_of(table))
    chosen = list(map(str, table.index.drop(baseline)[:MAX_STYLES]))
    base = results[baseline].per_unit
    gains = {name: (results[name].per_unit[primary] - base[primary]).reindex(base.index).to_numpy() for name in chosen}
    name = label(primary)
    caption = (
        f"Each point is the mean gain in {name} for a group of customers, from least to most active; where an interval "
        f"touches zero, {baseline} would have served them as well. A click in the legend picks a model."
    )
    caption += f" Shown: the best {MAX_STYLES}." if len(table) > MAX_STYLES + 1 else ""
    spec = _lines(
        gains,
        groups(base.n_history.to_numpy()),
        f"{name} gained over {baseline}",
        list(map(str, table.index)),
        baseline,
    )
    zero = alt.Chart(pd.DataFrame({"value": [0]})).mark_rule(color=GREY).encode(y="value:Q")
    return Chart(f"Gain over {baseline} by customer activity", caption, spec + zero, 340)


def accuracy_by_activity(primary: str, result: Result) -> Chart:
    """One model's primary metric by the customer's activity.

    Args:
        primary: key of a metric with a value per user.
        result: of one run.
    """
    values = {result.model: result.per_unit[primary].to_numpy()}
    spec = _lines(values, groups(result.per_unit.n_history.to_numpy()), label(primary), [result.model], None)
    caption = "Each point is the mean for a group of customers, from least to most active, with its 95 % interval."
    return Chart(f"{label(primary)} by customer activity", caption, spec, 320)


def repeat_and_new(table: pd.DataFrame, results: Mapping[str, Result]) -> list[Chart]:
    """The primary metric on items that the customer had before and on new ones.

    Args:
        table: from ``comparison``.
        results: one per model, by name, with the metric of repeat items and of new items.
    """
    return [_of_part(table, results, part) for part in ("repeat", "new")]


def _of_part(table: pd.DataFrame, results: Mapping[str, Result], part: str) -> Chart:
    primary, names = shown_metrics(table)[0], list(map(str, table.index[:MAX_ROWS]))
    values = pd.concat([results[name].per_unit[f"{part}_{primary}"] for name in names], axis="columns")
    low, high = bootstrap_interval(values.to_numpy())
    frame = pd.DataFrame({"model": names, "value": values.mean().to_numpy(), "low": low, "high": high})
    styles = line_styles(list(map(str, table.index)), baseline_of(table))
    caption = {"repeat": "Items that the customer had before.", "new": "Items that are new to the customer."}[part]
    spec = intervals(frame, "model", f"{label(primary)}, {part} items", styles, zero=True)
    return Chart(
        f"{label(primary)} on {part} items", f"{caption} The order is that of the table.", spec, 60 + 24 * len(names)
    )


def _lines(
    values: Mapping[str, np.ndarray], grouped: Groups, title: str, models: list[str], baseline: str | None
) -> Any:
    """A line per model over the groups, with intervals."""
    frame = by_group(values, grouped).rename(columns={"name": "model", "mean": "value"})
    order = [f"{name} ({size:,})" for name, size in zip(grouped.names, grouped.sizes, strict=True)]
    frame["events"] = [order[group] for group in frame.pop("group")]
    styles = {name: style for name, style in line_styles(models, baseline).items() if name in values}
    selection, legend = picked(), len(values) > 1
    base = alt.Chart(frame, height=270).encode(
        x=alt.X(
            "events:O", sort=order, title=f"{_X} (number of customers)", axis=alt.Axis(labelAngle=0, labelOverlap=True)
        ),
        color=colour(styles, legend=legend),
        opacity=opacity_of(selection),
        tooltip=tooltip(model="model", events=_X, value=f"{title}|{FIGURE}", low=f"from|{FIGURE}", high=f"to|{FIGURE}"),
    )
    if legend:
        base = base.encode(xOffset=alt.XOffset("model:N", sort=list(values)))
    y = alt.Y("value:Q", title=title)
    points = base.mark_point(filled=True, size=60).encode(y=y, shape=shape(styles, legend=legend))
    return (
        base.mark_line(strokeWidth=1.5).encode(y=y).add_params(selection)
        + base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q")
        + points
    )
