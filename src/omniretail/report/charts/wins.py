"""Which model wins against which, unit by unit."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from omniretail.metrics.names import label, lower_is_better
from omniretail.report.charts.chart import Chart, tooltip
from omniretail.report.tables.comparison import shown_metrics
from omniretail.result import Result

MAX_MODELS = 10


def wins(table: pd.DataFrame, results: Mapping[str, Result]) -> pd.DataFrame:
    """For each two models, in how many units each of them does better.

    Args:
        table: from ``comparison``.
        results: one per name of the table, with the primary metric per unit.

    Returns:
        ``model, against, wins, losses, ties, lead``: shares of the units that both were judged by; ``lead`` is wins
        minus losses. The best models of the table, at most ``MAX_MODELS``.
    """
    primary, names = shown_metrics(table)[0], list(map(str, table.index[:MAX_MODELS]))
    values = pd.concat({name: results[name].per_unit[primary] for name in names}, axis="columns").dropna()
    sign = -1.0 if lower_is_better(primary) else 1.0
    rows = []
    for one in names:
        for other in names:
            gap = sign * (values[one] - values[other]).to_numpy()
            better, worse = float((gap > 0).mean()), float((gap < 0).mean())
            rows.append((one, other, better, worse, 1 - better - worse, better - worse))
    frame = pd.DataFrame(rows, columns=["model", "against", "wins", "losses", "ties", "lead"])
    return pd.DataFrame(frame[frame.model != frame.against])


def can_win(table: pd.DataFrame, results: Mapping[str, Result]) -> bool:
    """Whether several models have the primary metric per unit."""
    primary = shown_metrics(table)[0]
    return len(table) > 1 and all(primary in results[str(name)].per_unit for name in table.index)


def chart(table: pd.DataFrame, results: Mapping[str, Result]) -> Chart:
    """Wins of the model of the row against that of the column."""
    frame, unit = wins(table, results), str(table.unit.iloc[0])
    order = list(dict.fromkeys(frame.model))
    frame["text"] = [f"{100 * share:.0f}" for share in frame.wins]
    limit = float(np.abs(frame.lead).max()) or 1.0
    base = alt.Chart(frame, height=30 * len(order)).encode(
        y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(domain=False, ticks=False)),
        x=alt.X(
            "against:N", sort=order, title=None, axis=alt.Axis(orient="top", labelAngle=-40, domain=False, ticks=False)
        ),
        tooltip=tooltip(model="model", against="against", wins="wins|.1%", losses="loses|.1%", ties="the same|.1%"),
    )
    scale = alt.Scale(domain=[-limit, 0, limit], range=["#d55e00", "#a9b4bc40", "#0072b2"], interpolate="rgb")
    cells = base.mark_rect(opacity=0.75).encode(color=alt.Color("lead:Q", scale=scale, legend=None))
    caption = (
        f"In how many of 100 {unit} the model of the row does better in {label(shown_metrics(table)[0])} than that of "
        "the column; blue where it wins more often than it loses. Where two are equal, neither wins."
    )
    caption += f" Shown: the best {MAX_MODELS} of {len(table)} models." if len(table) > MAX_MODELS else ""
    return Chart(
        "Who wins against whom",
        caption,
        cells + base.mark_text(fontSize=12).encode(text="text:N"),
        150 + 30 * len(order),
    )
