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

_NAME_WIDTH = 13  # least room of the first column, whose names go over several lines, between words, where it is short
_UNBROKEN = 3  # columns of the first grid that stay together; where they do not fit, rows become a list


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
        """For ``rich.console.Console.print``; no number and no word is broken.

        Required columns that do not fit go into a further grid; where not even a few fit, they become a list. Other
        columns that do not fit are left out and named.

        Args:
            width: of the terminal, in characters.
        """
        name, *rest = map(str, self.cells.columns)
        required = set(self.cells.columns[: self.required])
        parts: list[Table | Text | str] = []
        while not parts or required & set(rest):
            fitting = self._fitting([name, *rest], width)
            if len(fitting) < min(2 if parts else _UNBROKEN, 1 + len(rest)):
                listed = [column for column in rest if column in required]
                parts.append(self._list([name, *listed]))
                rest = [column for column in rest if column not in required]
                break
            parts += [self._grid(fitting), ""]
            rest = rest[len(fitting) - 1 :]
        note = [f"Left out to fit {width} characters: {', '.join(rest)}."] if rest else []
        return Group(*parts, *(Text(sentence, style="dim") for sentence in [*self.sentences, *note]))

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

    def _list(self, columns: list[str]) -> Text:
        """A paragraph per row: its name, then a line per column."""
        places = [list(self.cells.columns).index(column) for column in columns]
        text = Text()
        for row in self.rows():
            text.append(f"{row[places[0]][0]}\n", style="bold")
            for column, place in zip(columns[1:], places[1:], strict=True):
                text.append(f"  {column}: {row[place][0]}\n")
        return text

    def _fitting(self, columns: list[str], width: int) -> list[str]:
        """The columns, from the left, that stand unbroken in so many characters."""
        widths = [max(map(len, [*self._header(column).split("\n"), *self.cells[column]])) for column in columns]
        words = [len(word) for name in self.cells[columns[0]] for word in name.split()]
        widths[0] = min(widths[0], max(_NAME_WIDTH, *words, *map(len, self._header(columns[0]).split("\n"))))
        ends = np.cumsum(np.array(widths) + 2) - 2
        return columns[: int((ends <= width).sum())]

    def _header(self, column: str) -> str:
        """Broken into lines so that figures decide the column's width, where words allow it."""
        parts = re.sub(r"(?=@)| (?=\()", "\n", column).split("\n")
        room = max([len(text) for text in self.cells[column]], default=1)
        lines = [line for part in parts for line in textwrap.wrap(part, max(room, 8), break_long_words=False)]
        return "\n".join(lines)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("|", r"\|")
