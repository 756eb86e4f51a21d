"""Predicted probabilities and amounts against outcomes, before and after calibration."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from scipy import stats

from omniretail.metrics.classification import equal_size_bins
from omniretail.profile.propensity.expected_spend import SpendForecast
from omniretail.report.charts.chart import PERCENT, Chart, tooltip
from omniretail.report.charts.style import AFTER, BEFORE, GREY, LineStyle, colour, shape

N_BINS = 10
_STYLES = {"before calibration": LineStyle(BEFORE, "square"), "after calibration": LineStyle(AFTER, "circle")}


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
    ends = {"low": np.maximum(centre - half, 0.0), "high": np.minimum(centre + half, 1.0)}
    return pd.DataFrame({"count": count, "predicted": predicted, "observed": observed, **ends})


def reliability_chart(title: str, caption: str, truth: np.ndarray, before: np.ndarray, after: np.ndarray) -> Chart:
    """Before and after calibration; calibrated probabilities lie on the diagonal.

    Args:
        title: above the chart.
        caption: below it.
        truth: 0 or 1; shape (N,).
        before: probabilities; shape (N,).
        after: calibrated ones; shape (N,).
    """
    parts = zip(_STYLES, (before, after), strict=True)
    frame = pd.concat([reliability(truth, each).assign(when=when) for when, each in parts], ignore_index=True)
    top = min(1.0, 1.05 * float(frame[["predicted", "high"]].to_numpy().max()))
    spec = _on_diagonal(frame, top, "predicted probability", "share that did", PERCENT, ".1%")
    return Chart(title, caption, spec, 330)


def spend(forecast: SpendForecast, n_bins: int = N_BINS) -> pd.DataFrame:
    """Means of what was expected and spent, in bins of equally many customers.

    Args:
        forecast: with forecasts and truth.
        n_bins: fewer where there are fewer customers or equal forecasts, which share a bin.

    Returns:
        ``when, count, predicted, observed, low, high``: ``low`` and ``high`` are a 95 % interval of the mean.
    """
    rows = []
    for when, each in zip(_STYLES, (forecast.before, forecast.after), strict=True):
        for part in equal_size_bins(each, n_bins):
            spent = forecast.truth[part]
            error = 1.96 * spent.std() / np.sqrt(len(part))
            rows.append((when, len(part), each[part].mean(), spent.mean(), spent.mean() - error, spent.mean() + error))
    return pd.DataFrame(rows, columns=["when", "count", "predicted", "observed", "low", "high"])


def spend_chart(forecast: SpendForecast, currency: str) -> Chart:
    """Mean amount expected and spent.

    Args:
        forecast: with forecasts and truth.
        currency: of the amounts; may be empty.
    """
    frame = spend(forecast)
    top = 1.05 * float(frame[["predicted", "high"]].to_numpy().max()) or 1.0
    x, y = (f"{name}, {currency}".removesuffix(", ") for name in ("expected", "spent"))
    caption = "Means of tenths of the customers, by expected spend. Bars: 95 % intervals of the mean."
    return Chart("Expected spend", caption, _on_diagonal(frame, top, x, y, alt.Axis(format="~s"), ",.2f"), 330)


def _on_diagonal(frame: pd.DataFrame, top: float, x: str, y: str, axis: alt.Axis, number: str) -> Any:
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True)
    y_channel = alt.Y("observed:Q", title=y, scale=scale, axis=axis)
    base = alt.Chart(frame, height=270).encode(
        x=alt.X("predicted:Q", title=x, scale=scale, axis=axis),
        color=colour(_STYLES, "when"),
        tooltip=tooltip(
            when="",
            count="customers or pairs",
            predicted=f"{x}|{number}",
            observed=f"{y}|{number}",
            low=f"from|{number}",
            high=f"to|{number}",
        ),
    )
    diagonal = alt.Chart(pd.DataFrame({"predicted": [0, top], "observed": [0, top]})).mark_line(
        color=GREY, strokeDash=[2, 3], strokeWidth=1
    )
    return (
        base.mark_line(strokeWidth=1.5).encode(y=y_channel)
        + base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title=y), y2="high:Q")
        + base.mark_point(filled=True, size=60, opacity=1).encode(y=y_channel, shape=shape(_STYLES, "when"))
        + diagonal.encode(x="predicted:Q", y="observed:Q")
    )
