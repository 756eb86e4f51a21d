"""Customers gained by a coupon, against the share of customers who get it."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from omniretail.metrics.uplift import curves
from omniretail.report.charts.chart import PERCENT, Chart, opacity_of, picked, tooltip
from omniretail.report.charts.style import GREY, LineStyle, colour, line_styles

_N_POINTS = 101
_RANDOM = "a random order"


def qini_chart(
    y: np.ndarray, treated: np.ndarray, scores: Mapping[str, np.ndarray], baseline: str | None = None
) -> Chart:
    """The Qini curve of each ranking, beside a random order.

    Args:
        y: 1 where the customer bought; shape (N,).
        treated: True where the coupon was sent; shape (N,).
        scores: of each model, the higher, the earlier a coupon is sent; shape (N,) each.
        baseline: of the models; it is grey.
    """
    shares = np.linspace(0, 1, _N_POINTS)
    parts, last = [], 0.0
    for name, score in scores.items():
        curve = curves(y, treated, score)
        last = float(curve.gain[-1])
        gain = np.interp(shares, curve.share, curve.gain)
        parts.append(pd.DataFrame({"model": name, "share": shares, "gain": gain}))
    parts.append(pd.DataFrame({"model": _RANDOM, "share": shares, "gain": shares * last}))
    frame, selection = pd.concat(parts, ignore_index=True), picked()
    styles = line_styles(list(scores), baseline) | {_RANDOM: LineStyle(GREY, "stroke")}
    spec = (
        alt.Chart(frame, height=280)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("share:Q", title="customers sent a coupon", axis=PERCENT),
            y=alt.Y("gain:Q", title="additional buyers, of all customers", axis=alt.Axis(format=".1%")),
            color=colour(styles),
            strokeDash=alt.condition(alt.datum.model == _RANDOM, alt.value([2, 3]), alt.value([1, 0])),
            opacity=opacity_of(selection),
            tooltip=tooltip(model="", share="sent to|.0%", gain="additional buyers|.2%"),
        )
        .add_params(selection)
    )
    caption = (
        "The best-ranked share of customers is sent a coupon: additional buyers, in per cent of all customers. The "
        "dotted line is a random order."
    )
    return Chart("Customers gained", caption, spec, 350)
