"""A chart with what a reader needs beside it, and the parts that charts share."""

import json
from dataclasses import dataclass
from typing import Any

import altair as alt

PERCENT = alt.Axis(format=".0%")
FIGURE = ".4~f"
"""Format of metrics in what a chart shows under the mouse."""


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        title: above it.
        caption: how to read it, in a sentence.
        spec: from altair; its width is that of the page's column.
        height: in pixels, kept free while the page opens.
        wide: it takes a whole row of the page.
    """

    title: str
    caption: str
    spec: Any
    height: int = 260
    wide: bool = False

    def json(self) -> str:
        """The chart in Vega-Lite, to stand in a script element."""
        fitted = self.spec.properties(width="container")
        with alt.data_transformers.enable("default", max_rows=None):
            return json.dumps(fitted.to_dict()).replace("<", "\\u003c")

    def _repr_mimebundle_(self, *limits: Any, **named: Any) -> Any:
        """The chart in a notebook."""
        return self.spec.properties(width=560, title=self.title)._repr_mimebundle_(*limits, **named)


def tooltip(**names: str) -> list[alt.Tooltip]:
    """What a mark shows under the mouse.

    Args:
        names: titles by column; of numbers with their format after a bar, e.g. ``value="NDCG@10|.4~f"``.
    """
    return [
        alt.Tooltip(column, title=title.partition("|")[0], format=title.partition("|")[2] or alt.Undefined)
        for column, title in names.items()
    ]


def picked(field: str = "model") -> alt.Parameter:
    """A click in the legend picks; see ``opacity_of``. Of layers, the first one takes it, whose legend is drawn."""
    return alt.selection_point(fields=[field], bind="legend")


def opacity_of(selection: alt.Parameter) -> Any:
    """Opacity of what is not picked."""
    return alt.when(selection).then(alt.value(1)).otherwise(alt.value(0.12))
