"""Charts of a search: how it went, and which settings matter."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from omniretail.report.charts.chart import Chart, tooltip
from omniretail.report.charts.style import AFTER, GREY
from omniretail.search.space import Dimension, short_name, written

_ROW = 26
"""Pixels of a bar with its space."""


def history(trials: pd.DataFrame, name: str, minimized: bool) -> Chart:
    """Trials in their order, and the best until each.

    Args:
        trials: columns trial (from 1), value and settings (text).
        name: of the objective.
        minimized: whether lower values are better.
    """
    best = trials.value.cummin() if minimized else trials.value.cummax()
    base = alt.Chart(trials.assign(best=best)).encode(x=alt.X("trial:Q", title="trial", axis=alt.Axis(tickMinStep=1)))
    scale = alt.Scale(zero=False)
    points = base.mark_circle(size=50, color=AFTER).encode(
        y=alt.Y("value:Q", title=name, scale=scale),
        tooltip=tooltip(trial="trial", value=f"{name}|.4~f", settings="settings"),
    )
    line = base.mark_line(interpolate="step-after", color=GREY).encode(y=alt.Y("best:Q", title=name, scale=scale))
    return Chart(f"{name} by trial", "A point is a trial, the line the best until then.", line + points)


def importance(shares: Mapping[str, float], name: str) -> Chart:
    """Bars, the longest first.

    Args:
        shares: by setting.
        name: of the objective.
    """
    rows = pd.DataFrame({"setting": list(shares), "share": list(shares.values())})
    spec = (
        alt.Chart(rows)
        .mark_bar(color=AFTER)
        .encode(
            x=alt.X("share:Q", title="share", axis=alt.Axis(format=".0%")),
            y=alt.Y("setting:N", title=None, sort="-x"),
            tooltip=tooltip(setting="setting", share="share|.0%"),
        )
    )
    caption = f"Share of each setting in what makes {name} good (PED-ANOVA); few trials make it uncertain."
    return Chart("Which settings matter", caption, spec, 60 + _ROW * len(rows))


def slice_of(dimension: Dimension, trials: pd.DataFrame, name: str) -> Chart:
    """The objective over one setting.

    Args:
        dimension: the setting.
        trials: columns trial, value, settings and the setting's name.
        name: of the objective.
    """
    short = short_name(dimension.name)
    rows = trials.dropna(subset=["value"])[["trial", "value", "settings"]].assign(at=trials[dimension.name])
    if dimension.choices:
        rows = rows.assign(at=rows["at"].map(written))
        x = alt.X("at:N", title=short, sort=list(map(written, dimension.choices)), axis=alt.Axis(labelAngle=0))
    else:
        kind = "log" if dimension.log else "linear"
        x = alt.X("at:Q", title=short, scale=alt.Scale(type=kind, domain=[dimension.low, dimension.high]))
    spec = (
        alt.Chart(rows)
        .mark_circle(size=45, color=AFTER, opacity=0.7)
        .encode(
            x=x,
            y=alt.Y("value:Q", title=name, scale=alt.Scale(zero=False)),
            tooltip=tooltip(trial="trial", value=f"{name}|.4~f", settings="settings"),
        )
    )
    caption = f"A point is a trial; where {short} matters, the best lie in one place."
    return Chart(f"{name} by {short}", caption, spec, 200)


def parallel(space: Sequence[Dimension], trials: pd.DataFrame, name: str, minimized: bool) -> Chart:
    """Trials as lines over the settings, the best quarter in colour.

    Args:
        space: what was searched.
        trials: columns trial, value, settings and one per setting.
        name: of the objective.
        minimized: whether lower values are better.
    """
    rank = trials.value.rank(pct=True, ascending=not minimized)
    rows = [
        {"trial": trial["trial"], "value": trial["value"], "settings": trial["settings"]}
        | {"setting": short_name(each.name), "place": _place(each, trial[each.name])}
        | {"chosen": written(trial[each.name]), "best quarter": "best quarter" if rank[index] > 0.75 else "others"}
        for index, trial in trials.iterrows()
        for each in space
    ]
    colours = alt.Scale(domain=["best quarter", "others"], range=[AFTER, GREY])
    spec = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("setting:N", title=None, sort=[short_name(each.name) for each in space]),
            y=alt.Y("place:Q", title="from low to high", axis=alt.Axis(labels=False, ticks=False)),
            detail="trial:N",
            color=alt.Color("best quarter:N", scale=colours, title=None),
            opacity=alt.condition("datum['best quarter'] == 'best quarter'", alt.value(0.9), alt.value(0.25)),
            tooltip=tooltip(trial="trial", value=f"{name}|.4~f", setting="setting", chosen="value"),
        )
    )
    caption = (
        "A line is a trial; each axis goes from the lower to the upper end of the space, on the scale of the draw."
    )
    return Chart("Trials as lines", caption, spec, 300, wide=True)


def front(trials: pd.DataFrame, names: Sequence[str]) -> Chart:
    """Two objectives against each other.

    Args:
        trials: columns trial, settings, on_front and one per objective, named as in ``names``.
        names: of the first two objectives.
    """
    colours = alt.Scale(domain=["on the front", "beaten in every objective"], range=[AFTER, GREY])
    rows = trials.rename(columns={names[0]: "first", names[1]: "second"})
    spec = (
        alt.Chart(rows)
        .mark_circle(size=60)
        .encode(
            x=alt.X("second:Q", title=names[1], scale=alt.Scale(zero=False)),
            y=alt.Y("first:Q", title=names[0], scale=alt.Scale(zero=False)),
            color=alt.Color("on_front:N", scale=colours, title=None),
            tooltip=tooltip(trial="trial", first=f"{names[0]}|.4~f", second=f"{names[1]}|.4~f", settings="settings"),
        )
    )
    return Chart(f"{names[0]} against {names[1]}", "A point is a trial.", spec)


def _place(dimension: Dimension, value: Any) -> float:
    return float(np.clip(dimension.position(value), 0, 1))
