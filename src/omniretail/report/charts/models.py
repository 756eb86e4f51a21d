"""Charts of any comparison: the primary metric by model, against cost, and metrics of groups."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from omniretail.metrics.names import group_label, label, lower_is_better
from omniretail.report.charts.chart import FIGURE, Chart, opacity_of, picked, tooltip
from omniretail.report.charts.style import COLOURS, GREY, MAX_STYLES, LineStyle, colour, line_styles, shape
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.report.tables.comparison_text import tied
from omniretail.report.tables.legend import TIED

MAX_ROWS = 40
"""Models shown in a row each; the table has the others."""


def estimates(table: pd.DataFrame) -> pd.DataFrame:
    """``model, value, low, high`` of the primary metric, and how each model stands to the best."""
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    standing = ["as good as the best" if tie else "below the best" for tie in tied(table)]
    standing[0] = "the best"
    frame = pd.DataFrame({"model": table.index.astype(str), "value": table[primary].to_numpy(float)})
    frame["low"], frame["high"] = (table[f"{primary}_{end}"].to_numpy(float) for end in ("low", "high"))
    frame["standing"] = np.where(frame.model == baseline, "the baseline", standing)
    return frame


def accuracy(table: pd.DataFrame) -> Chart:
    """Every model's primary metric with its interval, the best on top."""
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    frame = estimates(table)
    shown = pd.DataFrame(frame[(frame.index < MAX_ROWS) | (frame.model == baseline)])
    side = "left" if lower_is_better(primary) else "right"
    caption = (
        f"Further {side} is better; where two bars overlap widely, check p before the order. {TIED} in the table marks "
        f"models not significantly different from the best{'; the dotted line is the baseline' if baseline else ''}."
    )
    caption += f" Shown: the best {MAX_ROWS} of {len(frame)} models." if len(frame) > MAX_ROWS else ""
    spec = intervals(shown, "model", label(primary), line_styles(list(frame.model), baseline))
    if baseline is not None:
        line = alt.Chart(shown).transform_filter(alt.datum.model == baseline)
        spec += line.mark_rule(strokeDash=[2, 3], color=GREY).encode(x="value:Q")
    return Chart(f"{label(primary)} by model", caption, spec, 60 + 24 * len(shown))


def intervals(frame: pd.DataFrame, row: str, title: str, styles: dict[str, LineStyle], zero: bool = False) -> Any:
    """A row for each value of a column, with a mark at ``value`` and a bar from ``low`` to ``high``.

    Args:
        frame: columns ``value``, ``low``, ``high`` and the one of the rows.
        row: the column whose values are the rows, from top to bottom.
        title: of the axis.
        styles: of the rows' marks.
        zero: the axis begins at zero.
    """
    base = alt.Chart(frame, height=24 * len(frame)).encode(
        y=alt.Y(f"{row}:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        color=colour(styles, row, legend=False),
        tooltip=tooltip(**{row: row, "value": f"{title}|{FIGURE}", "low": f"from|{FIGURE}", "high": f"to|{FIGURE}"}),
    )
    axis = alt.X("value:Q", title=f"{title}, with 95 % interval", scale=alt.Scale(zero=zero))
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x=axis, shape=shape(styles, row, legend=False))
    return base.mark_rule(strokeWidth=3, opacity=0.45).encode(x="low:Q", x2="high:Q") + points


def by_cost(table: pd.DataFrame) -> Chart:
    """The primary metric against the seconds to learn and to score; a line joins the best per cost."""
    primary = shown_metrics(table)[0]
    cost = np.maximum(table.filter(items=["fit_s", "score_s"]).sum(axis="columns").to_numpy(float), 0.01)
    frame = estimates(table).assign(seconds=cost)
    front = _front(frame, lower_is_better(primary))
    axis = alt.X("seconds:Q", scale=alt.Scale(type="log", nice=False, padding=12), axis=alt.Axis(format="~g"))
    line = alt.Chart(front).mark_line(interpolate="step-after", color=GREY, strokeWidth=1)
    spec = scatter(frame, table, axis.title("seconds to learn and to score (log scale)"), seconds="seconds|.3~g")
    spec = spec + line.encode(x="seconds:Q", y="value:Q")
    height = "Down" if lower_is_better(primary) else "Up"
    caption = f"{height} and left is better; along the grey line lie the models that no cheaper one beats."
    return Chart(f"{label(primary)} against cost", caption, spec, 340)


def scatter(frame: pd.DataFrame, table: pd.DataFrame, x: alt.X, **under_mouse: str) -> Any:
    """Every model's primary metric over ``x``.

    Up to ``MAX_STYLES`` models have colours of their own; more are coloured by how they compare with the best.

    Args:
        frame: from ``estimates``, with the column of ``x``.
        table: from ``comparison``.
        x: the channel.
        under_mouse: further columns that are shown under the mouse, see ``tooltip``.
    """
    primary, few = label(shown_metrics(table)[0]), len(frame) <= MAX_STYLES
    field = "model" if few else "standing"
    standings = {"the best": COLOURS[0], "as good as the best": COLOURS[5], "below the best": COLOURS[7]}
    marks = {name: LineStyle(each, "circle") for name, each in (standings | {"the baseline": GREY}).items()}
    styles = line_styles(list(frame.model), baseline_of(table)) if few else marks
    selection = picked(field)
    base = alt.Chart(frame, height=280).encode(
        x=x,
        color=colour(styles, field),
        opacity=opacity_of(selection),
        tooltip=tooltip(
            model="model", value=f"{primary}|{FIGURE}", low=f"from|{FIGURE}", high=f"to|{FIGURE}", **under_mouse
        ),
    )
    y = alt.Y("value:Q", title=primary, scale=alt.Scale(zero=False))
    points = base.mark_point(filled=True, size=90).encode(y=y, shape=shape(styles, field))
    return base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q").add_params(selection) + points


def keys_of_groups(table: pd.DataFrame, metric: str) -> list[str]:
    """The keys in a comparison that are this metric of a group."""
    return [key for key in shown_metrics(table) if key.endswith(f"/{metric}")]


def by_group(table: pd.DataFrame, metric: str) -> Chart:
    """One metric of several groups, a row per group and a mark per model, with intervals.

    Args:
        table: from ``comparison``.
        metric: without the groups, e.g. ``auc`` for ``churn/auc``.
    """
    keys, models = keys_of_groups(table, metric), list(map(str, table.index[:MAX_STYLES]))
    rows = [
        (
            group_label(key.rpartition("/")[0]),
            model,
            *table.loc[model, [key, f"{key}_low", f"{key}_high"]].to_numpy(float),
        )
        for key in keys
        for model in models
    ]
    frame = pd.DataFrame(rows, columns=["group", "model", "value", "low", "high"])
    styles, selection = line_styles(models, baseline_of(table)), picked()
    legend = len(models) > 1
    base = alt.Chart(frame, height=len(keys) * max(24, 11 * len(models))).encode(
        y=alt.Y("group:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        yOffset=alt.YOffset("model:N", sort=models),
        color=colour(styles, legend=legend),
        opacity=opacity_of(selection),
        tooltip=tooltip(
            group="group", model="model", value=f"{label(metric)}|{FIGURE}", low=f"from|{FIGURE}", high=f"to|{FIGURE}"
        ),
    )
    axis = alt.X("value:Q", title=f"{label(metric)}, with 95 % interval", scale=alt.Scale(zero=False))
    points = base.mark_point(filled=True, size=60).encode(x=axis, shape=shape(styles, legend=legend))
    better = "left" if lower_is_better(metric) else "right"
    first = f" Shown: the first {MAX_STYLES} of {len(table)} models." if len(table) > MAX_STYLES else ""
    return Chart(
        f"{label(metric)} by group",
        f"Further {better} is better; bars are 95 % intervals.{first}",
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q").add_params(selection) + points,
        70 + len(keys) * max(24, 11 * len(models)),
    )


def _front(frame: pd.DataFrame, lowest: bool) -> pd.DataFrame:
    """The models that no cheaper one beats, cheapest first, and the most costly one at the height of the best."""
    cheapest_first = frame.sort_values(["seconds", "value"], ascending=[True, lowest], kind="stable")
    best = cheapest_first.value.cummin() if lowest else cheapest_first.value.cummax()
    end = pd.DataFrame({"seconds": [frame.seconds.max()], "value": [best.iloc[-1]]})
    return pd.concat([cheapest_first.loc[cheapest_first.value == best, ["seconds", "value"]], end], ignore_index=True)
