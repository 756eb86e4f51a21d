"""A hyper-parameter that was varied: the curve of the primary metric over it, and whether its best lies at an edge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from omniretail.metrics.names import label, lower_is_better
from omniretail.report.charts.chart import FIGURE, Chart, tooltip
from omniretail.report.charts.style import COLOURS
from omniretail.report.tables.comparison import shown_metrics
from omniretail.result import Result

_FEWEST = 3
"""Values that make a curve."""


@dataclass(frozen=True)
class Curve:
    """One numeric hyper-parameter of one model, in the runs in which it differs.

    Attributes:
        family: the model.
        setting: name of the hyper-parameter.
        frame: ``model, setting, value, low, high, others``, by rising setting; ``others`` are the other
            hyper-parameters that differ, as text.
        title: label of the primary metric.
        lowest: whether lower is better.
    """

    family: str
    setting: str
    frame: pd.DataFrame
    title: str
    lowest: bool

    def edge(self) -> str:
        """A sentence where the best value is the lowest or the highest that was tried; else empty."""
        ordered = self.frame.sort_values("value", ascending=self.lowest, kind="stable").setting
        best, tried = float(ordered.iloc[0]), sorted(set(self.frame.setting))
        if best not in (tried[0], tried[-1]):
            return ""
        next_to = tried[1] if best == tried[0] else tried[-2]
        beyond = best * best / next_to if best * next_to > 0 else 2 * best - next_to
        end = "lowest" if best == tried[0] else "highest"
        return (
            f"The best {self.family} has the {end} {self.setting} that was tried, {best:g}: a better one may lie "
            f"beyond; add model.{self.setting}={beyond:.3g} to the sweep."
        )

    def chart(self) -> Chart:
        """The metric over the setting, a line for each combination of the other settings that differ."""
        values = self.frame.setting
        log = values.min() > 0 and values.max() >= 20 * values.min()
        scale = alt.Scale(type="log", nice=False, padding=12) if log else alt.Scale(zero=False)
        single = len(set(self.frame.others)) == 1
        base = alt.Chart(self.frame, height=260).encode(
            x=alt.X(
                "setting:Q",
                title=self.setting + (" (log scale)" if log else ""),
                scale=scale,
                axis=alt.Axis(format="~g"),
            ),
            color=alt.value(COLOURS[0])
            if single
            else alt.Color("others:N", title=None, scale=alt.Scale(range=COLOURS)),
            tooltip=tooltip(
                model="run",
                setting=self.setting,
                value=f"{self.title}|{FIGURE}",
                low=f"from|{FIGURE}",
                high=f"to|{FIGURE}",
            ),
        )
        y = alt.Y("value:Q", title=self.title, scale=alt.Scale(zero=False))
        rules = base.mark_rule(strokeWidth=2, opacity=0.5).encode(y="low:Q", y2="high:Q")
        spec = (
            base.mark_line(strokeWidth=1.5).encode(y=y)
            + rules
            + base.mark_point(filled=True, size=70, opacity=1).encode(y=y)
        )
        better = "Lower" if self.lowest else "Higher"
        return Chart(
            f"{self.title} of {self.family} over {self.setting}",
            f"{better} is better; bars are 95 % intervals.",
            spec,
            320,
        )


def curves(table: pd.DataFrame, results: Mapping[str, Result], families: Mapping[str, str]) -> list[Curve]:
    """Every numeric hyper-parameter of which a model was tried with at least three values.

    Args:
        table: from ``comparison``.
        results: one per name of the table.
        families: the model of each name, without what distinguishes its runs.
    """
    primary = shown_metrics(table)[0]
    drawn = []
    for family in dict.fromkeys(families[str(name)] for name in table.index):
        names = [str(name) for name in table.index if families[str(name)] == family]
        settings = {name: parsed(results[name].parameters) for name in names}
        tried = {each: {own.get(each) for own in settings.values()} for own in settings.values() for each in own}
        varied = [each for each, values in tried.items() if len(values) > 1]
        for setting in varied:
            numbers: Any = pd.to_numeric(
                pd.Series({name: own.get(setting) for name, own in settings.items()}), errors="coerce"
            )
            if len(set(numbers)) >= _FEWEST and bool(np.isfinite(numbers.to_numpy(float)).all()):
                others = [
                    " ".join(f"{each}={settings[name].get(each)}" for each in varied if each != setting)
                    for name in names
                ]
                drawn.append(_curve(table, primary, family, setting, numbers.to_numpy(float), names, others))
    return drawn


def parsed(parameters: str) -> dict[str, str]:
    """A line of hyper-parameters by name.

    >>> parsed("k=100 shrink=10.0")
    {'k': '100', 'shrink': '10.0'}
    """
    pairs: Sequence[tuple[str, str, str]] = [part.partition("=") for part in parameters.split()]
    return {name: value for name, _, value in pairs}


def _curve(
    table: pd.DataFrame,
    primary: str,
    family: str,
    setting: str,
    numbers: np.ndarray,
    names: list[str],
    others: list[str],
) -> Curve:
    estimates = table.loc[names, [primary, f"{primary}_low", f"{primary}_high"]].to_numpy(float)
    frame = pd.DataFrame(estimates, columns=["value", "low", "high"])
    frame = frame.assign(model=names, setting=numbers, others=others).sort_values("setting", kind="stable")
    return Curve(family, setting, frame, label(primary), lower_is_better(primary))
