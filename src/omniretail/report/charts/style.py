"""Colours, marks and dashes: one of each per model, the same in every chart and table of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, product

import altair as alt

GREY = "#868f98"
"""The baseline, and lines in the background; it is seen on white and on black."""
MAX_STYLES = 8
"""More models than these are not distinguished by their style."""
BEFORE, AFTER = "#d55e00", "#0072b2"

# Okabe and Ito, "Color Universal Design", 2008, without yellow, which vanishes on white, and with two more; also for
# the colour-blind. Above eight models the mark distinguishes those of one colour.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a63d2", "#8c6d46")
_MARKS = {"circle": "●", "square": "■", "triangle-up": "▲", "diamond": "◆", "triangle-down": "▼"}
_BASELINE_MARK = "cross"


@dataclass(frozen=True)
class LineStyle:
    """One model's colour and mark."""

    colour: str
    mark: str

    @property
    def symbol(self) -> str:
        """The mark as a character."""
        return _MARKS.get(self.mark, "✚")


def line_styles(models: Sequence[str], baseline: str | None = None) -> dict[str, LineStyle]:
    """Colour and mark of each model, in the order of the models; the baseline is grey."""
    others = (name for name in models if name != baseline)
    own = {name: LineStyle(colour, mark) for name, (mark, colour) in zip(others, cycle(product(_MARKS, COLOURS)))}
    return {name: own.get(name, LineStyle(GREY, _BASELINE_MARK)) for name in models}


def colour(styles: dict[str, LineStyle], field: str = "model", legend: bool = True) -> alt.Color:
    """The colour of each model as a channel of a chart."""
    scale = alt.Scale(domain=list(styles), range=[each.colour for each in styles.values()])
    return alt.Color(f"{field}:N", scale=scale, title=None, legend=alt.Legend() if legend else None)


def shape(styles: dict[str, LineStyle], field: str = "model", legend: bool = True) -> alt.Shape:
    """The mark of each model as a channel of a chart."""
    scale = alt.Scale(domain=list(styles), range=[each.mark for each in styles.values()])
    return alt.Shape(f"{field}:N", scale=scale, title=None, legend=alt.Legend() if legend else None)
