"""A map of customers, coloured by a feature."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from omniretail.profile.segments.effect_sizes import is_number
from omniretail.report.charts.chart import Chart, opacity_of, picked
from omniretail.report.charts.style import GREY, LineStyle, colour, line_styles, shape

MAX_VALUES = 12
"""Categories with a colour of their own; more cannot be distinguished."""
MAX_POINTS = 3000
"""More points do not open in a browser within a second; a sample of the customers is shown."""


def customer_map(coordinates: np.ndarray, values: pd.Series, name: str, caption: str, min_customers: int = 20) -> Chart:
    """Customers on a plane, coloured by a number or a category.

    Args:
        coordinates: from ``plane``; shape (N, 2).
        values: of each customer; numbers are shown from blue (low) to red (high), flags as yes and no,
            anything else in a colour per value.
        name: of what is shown.
        caption: how the plane was made, in a sentence.
        min_customers: categories of fewer customers share a colour, as do those beyond ``MAX_VALUES``.

    Raises:
        ValueError: where there are not as many values as coordinates.
    """
    if len(values) != len(coordinates):
        raise ValueError(f"{len(coordinates):,} customers have coordinates, and {len(values):,} a value of {name}")
    if is_bool_dtype(values):
        values = pd.Series(pd.Categorical(values.map({False: "no", True: "yes"}), ["no", "yes"]))
    values = values.reset_index(drop=True)
    places = pd.DataFrame(np.round(coordinates, 3), columns=["x", "y"])
    if not is_number(values):
        frame, styles = places.assign(value=shown_values(values, min_customers)), {}
        styles = _styles(values, min_customers, frame.value)
        channels: dict[str, Any] = {"color": colour(styles, "value"), "shape": shape(styles, "value")}
    elif values.notna().sum() < min_customers:
        frame, channels, caption = places, {"color": alt.value(GREY)}, f"Too few customers have a value. {caption}"
    else:
        frame, channels = places.assign(value=values.astype(float).round(3)), {"color": _low_to_high(values)}
        caption += " The 5 % of customers furthest out on either side share a colour."
    if len(frame) > MAX_POINTS:
        frame = frame.sample(MAX_POINTS, random_state=0)
        caption += f" Shown: {MAX_POINTS:,} of {len(values):,} customers, drawn at random."
    return Chart(f"Customers by {name}", caption, _points(frame, channels, name), 330)


def shown_values(values: pd.Series, min_customers: int) -> list[str]:
    """Each customer's value, or that it is rare or unknown."""
    frequent = _frequent(values, min_customers)
    rest = values.loc[~values.isin(frequent)]
    name = "unknown" if rest.isna().all() else "others or unknown" if rest.isna().any() else "others"
    return [str(value) if value in frequent else name for value in values]


def _points(frame: pd.DataFrame, channels: dict[str, Any], name: str) -> alt.Chart:
    size = float(np.clip(20_000 / len(frame), 8, 60))
    blank = {"axis": None, "scale": alt.Scale(zero=False)}
    if "value" in frame:
        channels = channels | {"tooltip": [alt.Tooltip("value", title=name)]}
    base = alt.Chart(frame, height=290).mark_point(filled=True, size=size, opacity=0.8)
    spec = base.encode(x=alt.X("x:Q", **blank), y=alt.Y("y:Q", **blank), **channels)
    if "shape" not in channels:
        return spec
    selection = picked("value")
    return spec.encode(opacity=opacity_of(selection)).add_params(selection)


def _low_to_high(values: pd.Series) -> alt.Color:
    """From blue to red, which differ in print too; unknown ones are grey."""
    low, high = values.dropna().astype(float).quantile([0.05, 0.95])
    scale = alt.Scale(
        domain=[low, (low + high) / 2, high if high > low else low + 1],
        range=["#0072b2", "#a9b4bc", "#d55e00"],
        clamp=True,
    )
    legend = alt.Legend(orient="top", gradientLength=180, titleLimit=260, title=None, format=",.3~r")
    return alt.Color("value:Q", scale=scale, legend=legend)


def _styles(values: pd.Series, min_customers: int, shown: pd.Series) -> dict[str, LineStyle]:
    styles = line_styles([str(value) for value in _frequent(values, min_customers)])
    return styles | {str(name): LineStyle(GREY, "circle") for name in shown.unique() if name not in styles}


def _frequent(values: pd.Series, min_customers: int) -> list:
    """Values with a colour of their own, in alphabetical order or that of a categorical column."""
    counts = values.dropna().value_counts()
    frequent = counts.loc[counts >= min_customers].index[:MAX_VALUES].tolist()
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [value for value in values.dtype.categories if value in frequent]
    return sorted(frequent, key=str)
