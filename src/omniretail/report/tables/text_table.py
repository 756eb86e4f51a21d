"""A table as text with how to read it: the one renderer, for a terminal, a README and a page."""

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

_NAME_WIDTH = 13, 24  # least and most room of the first column, whose names are folded where room is short
_UNBROKEN = 3  # columns of the first grid that stay together, whatever the width


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes:
        cells: names in the first column, figures in the others.
        sentences: how to read it.
        bold: (row, column) of the cells that stand out, by position.
        faint: name of the row that stays in the background.
        required: the first so many columns are always shown; of the others, a narrow terminal leaves out those that do
            not fit. None: all are required.
    """

    cells: pd.DataFrame
    sentences: Sequence[str] = ()
    bold: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    faint: str | None = None
    required: int | None = None

    def markdown(self) -> str:
        """For a README: the table and how to read it."""
        head = [list(self.cells.columns), ["---"] + ["---:"] * (self.cells.shape[1] - 1)]
        rows = [
            [f"**{_escaped(text)}**" if is_bold else _escaped(text) for text, is_bold in row] for row in self.rows()
        ]
        lines = [f"| {' | '.join(map(str, row))} |" for row in head + rows]
        return "\n".join([*lines, "", *(f"- {_escaped(sentence)}" for sentence in self.sentences)]) + "\n"

    def terminal(self, width: int = 100) -> Group:
        """For ``rich.console.Console.print``; required columns that do not fit go into a further grid.

        Args:
            width: of the terminal, in characters; columns left out to fit it are named.
        """
        name, *rest = map(str, self.cells.columns)
        required = set(self.cells.columns[: self.required])
        grids: list[Table | str] = []
        while not grids or required & set(rest):
            fitting = self._fitting([name, *rest], width, at_least=2 if grids else _UNBROKEN)
            grids += [self._grid(fitting), ""]
            rest = rest[len(fitting) - 1 :]
        note = [f"Left out to fit {width} characters: {', '.join(rest)}."] if rest else []
        return Group(*grids, *(Text(sentence, style="dim") for sentence in [*self.sentences, *note]))

    def rows(self) -> list[list[tuple[str, bool]]]:
        """Every cell with whether it is bold; what a page shows."""
        return [
            [(str(text), (row, column) in self.bold) for column, text in enumerate(texts)]
            for row, texts in enumerate(self.cells.to_numpy().tolist())
        ]

    def _grid(self, columns: list[str]) -> Table:
        places = [list(self.cells.columns).index(column) for column in columns]
        grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for number, column in enumerate(columns):
            justify = "right" if number else "left"
            grid.add_column(self._header(column), justify=justify, no_wrap=number > 0, overflow="fold")
        for row in self.rows():
            shown = [Text(text, style="bold" if is_bold else "") for text, is_bold in (row[place] for place in places)]
            grid.add_row(*shown, style="dim" if row[0][0] == self.faint else "")
        return grid

    def _fitting(self, columns: list[str], width: int, at_least: int) -> list[str]:
        """The columns, from the left, that stand unbroken in so many characters."""
        widths = [max(map(len, [*self._header(column).split("\n"), *self.cells[column]])) for column in columns]
        words = [len(word) for name in self.cells[columns[0]] for word in name.split()]
        widths[0] = min(widths[0], max(_NAME_WIDTH[0], min(_NAME_WIDTH[1], max(words))))
        ends = np.cumsum(np.array(widths) + 2) - 2
        return columns[: max(at_least, int((ends <= width).sum()))]

    def _header(self, column: str) -> str:
        """Broken into lines so that figures decide the column's width, where words allow it."""
        parts = re.sub(r"(?=@)| (?=\()", "\n", column).split("\n")
        room = max([len(text) for text in self.cells[column]], default=1)
        lines = [line for part in parts for line in textwrap.wrap(part, max(room, 8), break_long_words=False)]
        return "\n".join(lines)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("|", r"\|")
