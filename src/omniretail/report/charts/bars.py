"""Bars: shares beside those of all customers, columns over the week or the year, areas over time."""

from typing import Any

import altair as alt
import pandas as pd

from omniretail.report.charts.chart import PERCENT, Chart, tooltip
from omniretail.report.charts.style import COLOURS, GREY


def beside_everybody(frame: pd.DataFrame, title: str, caption: str, number: str = ".1%", x: str = "") -> Chart:
    """A bar per row with a mark at the value of all customers.

    Args:
        frame: ``name, value, everybody``, the first on top.
        title: above the chart.
        caption: below it.
        number: format of the values.
        x: title of the axis.
    """
    base = _base(frame, number).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False))
    )
    axis = alt.Axis(format=number.replace(".1", ".0"), tickCount=5)
    bars = base.mark_bar(color=COLOURS[0], size=13).encode(x=alt.X("value:Q", title=x or None, axis=axis))
    marks = base.mark_tick(thickness=3, size=18, color=COLOURS[4]).encode(x="everybody:Q")
    return Chart(title, caption, (bars + marks).properties(height=22 * len(frame)), 50 + 22 * len(frame))


def columns(frame: pd.DataFrame, title: str, caption: str, number: str = ".1%", y: str = "") -> Chart:
    """A column per row with a mark at the value of all customers; as ``beside_everybody``."""
    x = alt.X("name:O", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    base = _base(frame, number).encode(x=x)
    axis = PERCENT if number.endswith("%") else alt.Axis(format="~s", tickCount=5)
    bars = base.mark_bar(color=COLOURS[0]).encode(y=alt.Y("value:Q", title=y or None, axis=axis))
    marks = base.mark_tick(thickness=3, color=COLOURS[4]).encode(y="everybody:Q")
    return Chart(title, caption, (bars + marks).properties(height=190), 240)


def area(x: Any, heights: Any, title: str, caption: str, y: str) -> Chart:
    """Amounts over time, or over a number where ``x`` holds no dates."""
    frame = pd.DataFrame({"at": x, "amount": heights})
    dated = isinstance(frame["at"].dtype, pd.DatetimeTZDtype) or frame["at"].dtype.kind == "M"
    channel = (
        alt.X("at:T", title=None)
        if dated
        else alt.X("at:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    )
    base = alt.Chart(frame, height=190).encode(x=channel, y=alt.Y("amount:Q", title=y, axis=alt.Axis(format="~s")))
    drawn = (
        base.mark_area(interpolate="step", color=COLOURS[0], opacity=0.85) if dated else base.mark_bar(color=COLOURS[0])
    )
    when = alt.Tooltip("at:T", title="day") if dated else alt.Tooltip("at:O", title="hour")
    return Chart(title, caption, drawn.encode(tooltip=[when, alt.Tooltip("amount:Q", title=y, format=",.3~f")]), 240)


def signed(frame: pd.DataFrame, title: str, caption: str, x: str, number: str = "+.4~f") -> Chart:
    """A row per name with a difference and its interval, zero marked.

    Args:
        frame: ``name, value, low, high``, and ``part``, by whose values marks are coloured.
        title: above the chart.
        caption: below it.
        x: title of the axis.
        number: format of the values.
    """
    parts = list(dict.fromkeys(frame.part))
    scale = alt.Scale(domain=parts, range=list(COLOURS[: len(parts)]))
    base = alt.Chart(frame, height=frame.name.nunique() * max(26, 14 * len(parts))).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        yOffset=alt.YOffset("part:N", sort=parts),
        color=alt.Color("part:N", title=None, scale=scale, legend=alt.Legend() if len(parts) > 1 else None),
        tooltip=tooltip(name="", part="", value=f"{x}|{number}", low=f"from|{number}", high=f"to|{number}"),
    )
    zero = alt.Chart(pd.DataFrame({"value": [0]})).mark_rule(color=GREY).encode(x="value:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("value:Q", title=x))
    spec = base.mark_rule(strokeWidth=3, opacity=0.5).encode(x="low:Q", x2="high:Q") + points + zero
    return Chart(title, caption, spec, 60 + frame.name.nunique() * max(26, 14 * len(parts)))


def _base(frame: pd.DataFrame, number: str) -> alt.Chart:
    return alt.Chart(frame).encode(tooltip=tooltip(name="", value=f"own|{number}", everybody=f"all customers|{number}"))
