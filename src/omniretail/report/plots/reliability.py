"""Reliability: predicted probabilities against outcomes, in bins and as plots."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from scipy import stats

from omniretail.metrics.classification import equal_size_bins
from omniretail.profile.propensity.expected_spend import SpendForecast
from omniretail.report.plots.style import GRID, canvas, styled

N_BINS = 10
_BEFORE, _AFTER = "#d55e00", "#0072b2"  # of the models' palette


def reliability(truth: np.ndarray, probability: np.ndarray, n_bins: int = N_BINS) -> pd.DataFrame:
    """Predicted probabilities and outcomes in bins of equal size, the least likely first.

    Args:
        truth: 0 or 1; shape (N,).
        probability: in [0, 1]; shape (N,).
        n_bins: fewer where there are fewer customers or equal probabilities, which share a bin.

    Returns:
        ``count, predicted, observed, low, high``: means, and Wilson's 95 % interval (JASA 1927) of the observed share.
    """
    bins = equal_size_bins(probability, n_bins)
    count = np.array([len(each) for each in bins])
    predicted, observed = (np.array([of[each].mean() for each in bins]) for of in (probability, truth))
    z2 = stats.norm.ppf(0.975) ** 2
    centre = (observed + z2 / (2 * count)) / (1 + z2 / count)
    half = np.sqrt(z2 * (observed * (1 - observed) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return pd.DataFrame(
        {
            "count": count,
            "predicted": predicted,
            "observed": observed,
            "low": np.maximum(centre - half, 0.0),
            "high": np.minimum(centre + half, 1.0),
        }
    )


@styled
def reliability_diagram(truth: np.ndarray, before: np.ndarray, after: np.ndarray) -> Figure:
    """Before and after calibration side by side; calibrated probabilities lie on the diagonal.

    Args:
        truth: 0 or 1; shape (N,).
        before: probabilities; shape (N,).
        after: calibrated ones; shape (N,).
    """
    plot, panels = canvas(height=3.0, columns=2)
    curves = [reliability(truth, each) for each in (before, after)]
    top = min(1.0, 1.08 * max(curve[["predicted", "high"]].to_numpy().max() for curve in curves))
    for axes, curve, colour, title in zip(panels, curves, (_BEFORE, _AFTER), ("before", "after"), strict=True):
        axes.plot([0, 1], [0, 1], color=GRID, linewidth=1, linestyle=":", zorder=0)
        reach = curve[["low", "high"]].to_numpy().T
        axes.vlines(curve.predicted, *reach, color=colour, linewidth=2, alpha=0.55)
        axes.plot(curve.predicted, curve.observed, color=colour, linewidth=1, marker="o", markersize=5)
        _square(axes, top)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.set_title(f"{title} calibration", loc="left", fontsize=10)
        axes.set_xlabel("predicted probability")
    panels[0].set_ylabel("share that did")
    return plot


@styled
def spend_diagram(spend: SpendForecast, currency: str, n_bins: int = N_BINS) -> Figure:
    """Mean amount expected and spent, in bins of equally many customers.

    Args:
        spend: with forecasts and truth.
        currency: of the amounts; may be empty.
        n_bins: fewer where there are fewer customers or equal forecasts, which share a bin.
    """
    plot, panels = canvas(height=3.0, columns=2)
    forecasts = {"before calibration": spend.before, "after calibration": spend.after}
    top = 0.0
    for axes, (title, each), colour in zip(panels, forecasts.items(), (_BEFORE, _AFTER), strict=True):
        bins = equal_size_bins(each, n_bins)
        expected, spent = (np.array([of[part].mean() for part in bins]) for of in (each, spend.truth))
        error = np.array([1.96 * spend.truth[part].std() / np.sqrt(len(part)) for part in bins])
        axes.vlines(expected, spent - error, spent + error, color=colour, linewidth=2, alpha=0.55)
        axes.plot(expected, spent, color=colour, linewidth=1, marker="o", markersize=5)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel(f"expected, {currency}".removesuffix(", "))
        top = max(top, 1.08 * float(np.maximum(expected, spent + error).max()))
    for axes in panels:
        axes.axline((0, 0), slope=1, color=GRID, linewidth=1, linestyle=":", zorder=0)
        _square(axes, top or 1.0)
    panels[0].set_ylabel(f"spent, {currency}".removesuffix(", "))
    return plot


def _square(axes: Axes, top: float) -> None:
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))  # equal on both axes
    axes.grid(color=GRID, alpha=0.25, linewidth=0.6)
