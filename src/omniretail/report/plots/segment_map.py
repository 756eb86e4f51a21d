"""A map of customers, coloured by a feature."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import setp
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from pandas.api.types import is_bool_dtype

from omniretail.profile.segments.effect_sizes import is_number
from omniretail.report.plots.style import FAINT, GRID, canvas, line_styles, short, styled

MAX_VALUES = 12
"""Categories with a colour of their own; more cannot be distinguished."""
_DPI = 220  # points are rasterised: a page with 20,000 vector points does not open
_LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", ["#0072b2", "#a9b4bc", "#d55e00"])  # readable in print


@styled
def customer_map(coordinates: np.ndarray, values: pd.Series, name: str, min_customers: int = 20) -> Figure:
    """Customers on a plane, coloured by a number or a category.

    Args:
        coordinates: from ``plane``; shape (N, 2).
        values: of each customer; numbers are shown from blue (low) to red (high), flags as yes and no,
            anything else in a colour per value.
        name: of what is shown.
        min_customers: categories of fewer customers share a colour, as do those beyond ``MAX_VALUES``.

    Raises:
        ValueError: where there are not as many values as coordinates.
    """
    if len(values) != len(coordinates):
        raise ValueError(f"{len(coordinates):,} customers have coordinates, and {len(values):,} a value of {name}")
    wide, high = np.ptp(coordinates, axis=0)
    figure, (axes,) = canvas(height=float(np.clip(4.4 * high / max(wide, 1e-9), 2.4, 4.6)))
    figure.set_dpi(_DPI)
    draw = _numbers if is_number(values) else _categories
    if is_bool_dtype(values):
        values = pd.Series(pd.Categorical(values.map({False: "no", True: "yes"}), ["no", "yes"]))
    draw(axes, coordinates, values.reset_index(drop=True), name, min_customers)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


def _numbers(axes: Axes, coordinates: np.ndarray, values: pd.Series, name: str, min_customers: int) -> None:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    finite = np.isfinite(numbers)
    _points(axes, coordinates[~finite], GRID, "o", len(coordinates))
    if finite.sum() < min_customers:
        axes.set_title(f"{name}: too few customers have a value", fontsize=9, color=FAINT)
        return
    low, high = np.quantile(numbers[finite], [0.05, 0.95])
    scale = ScalarMappable(Normalize(low, high if high > low else low + 1, clip=True), _LOW_TO_HIGH)
    _points(axes, coordinates[finite], scale.to_rgba(numbers[finite]), "o", len(coordinates))
    figure = axes.figure
    bar: Any = figure.colorbar(scale, ax=axes, shrink=0.6, aspect=30, extend="both", label=short(name, 45))
    bar.solids.set_rasterized(True)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9)
    bar.ax.yaxis.label.set_size(9)


def _categories(axes: Axes, coordinates: np.ndarray, values: pd.Series, name: str, min_customers: int) -> None:
    shown = _frequent(values, min_customers)
    rest = ~values.isin(shown).to_numpy()
    if rest.any():
        _points(axes, coordinates[rest], GRID, "o", len(coordinates), _rest(values.loc[rest]))
    for value, style in line_styles(shown, None).items():
        chosen = values.eq(value).to_numpy()
        _points(axes, coordinates[chosen], style.colour, style.marker, len(coordinates), short(str(value)))
    handles, labels = axes.get_legend_handles_labels()
    first = int(rest.any())  # the rest is drawn first and named last
    order = [*range(first, len(labels)), *range(first)]
    legend = axes.legend(
        [handles[place] for place in order],
        [labels[place] for place in order],
        title=short(name),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        alignment="left",
        handletextpad=0.2,
    )
    bullets: Any = legend.legend_handles
    setp(bullets, sizes=[30], alpha=1)


def _rest(values: pd.Series) -> str:
    unknown = values.isna()
    return "unknown" if unknown.all() else "others or unknown" if unknown.any() else "others"


def _frequent(values: pd.Series, min_customers: int) -> list:
    """Values with a colour of their own, in alphabetical order or that of a categorical column."""
    counts = values.dropna().value_counts()
    frequent = counts.loc[counts >= min_customers].index[:MAX_VALUES].tolist()
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [value for value in values.dtype.categories if value in frequent]
    return sorted(frequent, key=str)


def _points(axes: Axes, coordinates: np.ndarray, colour: Any, marker: str, total: int, label: str = "") -> None:
    size = float(np.clip(20_000 / total, 2, 30))
    axes.scatter(
        *coordinates.T, c=colour, s=size, marker=marker, alpha=0.75, linewidths=0, label=label, rasterized=True
    )
