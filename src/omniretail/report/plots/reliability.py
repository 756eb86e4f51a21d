"""Reliability: what was promised against what happened, in bins and as plots."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from scipy import stats

from omniretail.profile.propensity.expected_spend import SpendForecast
from omniretail.report.plots.style import GRID, canvas, styled

N_BINS = 10
_BEFORE, _AFTER = "#d55e00", "#0072b2"  # of the models' palette


def reliability(truth: np.ndarray, probability: np.ndarray, n_bins: int = N_BINS) -> pd.DataFrame:
    """What was promised and what happened in bins of equally many, the least likely first.

    Args:
        truth: 0 or 1; shape (N,).
        probability: in [0, 1]; shape (N,).
        n_bins: fewer where there are fewer customers.

    Returns:
        ``count, promised, happened, low, high``: means, and Wilson's 95 % interval (JASA 1927) of the share that
        happened.
    """
    bins = np.array_split(np.argsort(probability, kind="stable"), min(n_bins, len(truth)))
    count = np.array([len(each) for each in bins])
    promised, happened = (np.array([of[each].mean() for each in bins]) for of in (probability, truth))
    z2 = stats.norm.ppf(0.975) ** 2
    centre = (happened + z2 / (2 * count)) / (1 + z2 / count)
    half = np.sqrt(z2 * (happened * (1 - happened) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return pd.DataFrame(
        {
            "count": count,
            "promised": promised,
            "happened": happened,
            "low": np.maximum(centre - half, 0.0),
            "high": np.minimum(centre + half, 1.0),
        }
    )


@styled
def reliability_diagram(truth: np.ndarray, before: np.ndarray, after: np.ndarray) -> Figure:
    """Before and after side by side; on the diagonal, what was promised is what happened.

    Args:
        truth: 0 or 1; shape (N,).
        before: probabilities; shape (N,).
        after: calibrated ones; shape (N,).
    """
    plot, panels = canvas(height=3.0, columns=2)
    curves = [reliability(truth, each) for each in (before, after)]
    top = min(1.0, 1.08 * max(curve[["promised", "high"]].to_numpy().max() for curve in curves))
    for axes, curve, colour, title in zip(panels, curves, (_BEFORE, _AFTER), ("before", "after"), strict=True):
        axes.plot([0, 1], [0, 1], color=GRID, linewidth=1, linestyle=":", zorder=0)
        reach = curve[["low", "high"]].to_numpy().T
        axes.vlines(curve.promised, *reach, color=colour, linewidth=2, alpha=0.55)
        axes.plot(curve.promised, curve.happened, color=colour, linewidth=1, marker="o", markersize=5)
        _square(axes, top)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.set_title(f"{title} calibration", loc="left", fontsize=10)
        axes.set_xlabel("probability given")
    panels[0].set_ylabel("share that did")
    return plot


@styled
def spending_diagram(spending: SpendForecast, currency: str, n_bins: int = N_BINS) -> Figure:
    """Mean amount expected and paid, in bins of equally many customers.

    Args:
        spending: with forecasts and truth.
        currency: of the amounts; may be empty.
        n_bins: fewer where there are fewer customers.
    """
    plot, panels = canvas(height=3.0, columns=2)
    said = {"before calibration": spending.before, "after calibration": spending.after}
    top = 0.0
    for axes, (title, each), colour in zip(panels, said.items(), (_BEFORE, _AFTER), strict=True):
        bins = np.array_split(np.argsort(each, kind="stable"), min(n_bins, len(each)))
        expected, paid = (np.array([of[part].mean() for part in bins]) for of in (each, spending.truth))
        error = np.array([1.96 * spending.truth[part].std() / np.sqrt(len(part)) for part in bins])
        axes.vlines(expected, paid - error, paid + error, color=colour, linewidth=2, alpha=0.55)
        axes.plot(expected, paid, color=colour, linewidth=1, marker="o", markersize=5)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel(f"expected, {currency}".removesuffix(", "))
        top = max(top, 1.08 * float(np.maximum(expected, paid + error).max()))
    for axes in panels:
        axes.axline((0, 0), slope=1, color=GRID, linewidth=1, linestyle=":", zorder=0)
        _square(axes, top or 1.0)
    panels[0].set_ylabel(f"paid, {currency}".removesuffix(", "))
    return plot


def _square(axes: Axes, top: float) -> None:
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))  # the same on both, so that the eye finds the diagonal
    axes.grid(color=GRID, alpha=0.25, linewidth=0.6)
