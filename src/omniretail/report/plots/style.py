"""The style of every plot: type, colours, one colour and marker per model, and its way into a page."""

import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.typing import RcKeyType

INK, FAINT, GRID = "#22272e", "#6b7580", "#9aa3ad"
"""Text and axes; the baseline and notes; lines in the background."""

# Okabe and Ito, "Color Universal Design", 2008, without yellow, which vanishes on white; also for the colour-blind.
# Above six models the marker distinguishes those of one colour.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖"}
_BASELINE_MARKER = "X"

_SETTINGS: dict[RcKeyType, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a model's name may hold a dollar sign
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",  # text stays text: it can be selected, searched and read aloud
    "svg.hashsalt": "omniretail",
}

styled = rc_context(_SETTINGS)
"""Decorates a function that makes or writes a plot; matplotlib's settings are as before when it returns."""


@dataclass(frozen=True)
class LineStyle:
    """One model's colour and marker, the same in every plot and table."""

    colour: str
    marker: str

    @property
    def symbol(self) -> str:
        """The marker as a character."""
        return _MARKERS[self.marker]


def line_styles(models: Sequence[str], baseline: str | None) -> dict[str, LineStyle]:
    """Colour and marker of each model, in the order of the models; the baseline is grey."""
    others = (name for name in models if name != baseline)
    markers = [marker for marker in _MARKERS if marker != _BASELINE_MARKER]
    own = {name: LineStyle(colour, marker) for name, (marker, colour) in zip(others, cycle(product(markers, _COLOURS)))}
    return {name: own.get(name, LineStyle(FAINT, _BASELINE_MARKER)) for name in models}


def canvas(height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty plot as wide as a column of text, with axes side by side.

    Args:
        height: in inches.
        columns: axes, sharing the vertical one.
    """
    figure = Figure(figsize=(5.8, height), layout=ConstrainedLayoutEngine(wspace=0.1))
    axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    return figure, list(axes)


def short(name: str, length: int = 22) -> str:
    """A name that fits into a plot, with its end, for that is where runs differ.

    >>> short("TwoTower with a very long name 3fa9c1d2")
    'TwoTower wi…e 3fa9c1d2'
    """
    half = length // 2
    return name if len(name) <= length else f"{name[:half]}…{name[-(length - half - 1) :]}"


@styled
def svg(figure: Figure, name: str, description: str) -> str:
    """The plot as an SVG element to put into a page.

    Ids are made unique by ``name``; ink follows the page's text colour, so that a dark page has light axes.

    Args:
        figure: the plot.
        name: a word, another for each plot of the page.
        description: for those who cannot see it.
    """
    buffer = io.StringIO()
    nameless = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nameless)
    drawing = buffer.getvalue().partition("<svg")[2]
    drawing = re.sub(r'(?<= )(width|height)="[^"]*pt" ?', "", drawing, count=2)  # the page decides the size
    drawing = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawing).replace(INK, "currentColor")
    return f'<svg role="img" aria-label="{html.escape(description)}"{drawing}'
