"""The comparison as a table: in a terminal, and in a README."""

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from omniretail.report.tables.by_activity import activity_markdown
from omniretail.report.tables.comparison import baseline_of, read_csv
from omniretail.report.tables.cross_channel import channel_markdown
from omniretail.report.tables.format import cells, legend
from omniretail.report.tables.leaks import worth_markdown
from omniretail.report.tables.offers import offer_markdown
from omniretail.report.tables.probing import probe_markdown
from omniretail.report.tables.stores import store_markdown
from omniretail.report.tables.uplift_over_seeds import worlds_markdown

_MODEL_WIDTH = 13  # a longer name is folded where room is short


def terminal(table: pd.DataFrame, width: int = 100) -> Group:
    """For ``rich.console.Console.print``: the table and how to read it.

    Args:
        table: from ``comparison``.
        width: of the terminal, in characters; columns that do not fit are left out whole, from the right, and named.
    """
    shown = cells(table)
    fitting = _fitting(shown, width)
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in fitting:
        model = name == "model"  # the one column that may be folded
        grid.add_column(_narrow(name), justify="left" if model else "right", no_wrap=not model, overflow="fold")
    for name, row in zip(table.index, shown[fitting].to_numpy(), strict=True):
        grid.add_row(*map(Text, row), style="dim" if name == baseline_of(table) else "")
    hidden = [name for name in shown.columns if name not in fitting]
    note = [f"Left out to fit {width} characters: {', '.join(hidden)}."] if hidden else []
    return Group(grid, "", *(Text(sentence, style="dim") for sentence in legend(table) + note))


def markdown(table: pd.DataFrame) -> str:
    """For a README: the table and how to read it."""
    shown = cells(table)
    head = [list(shown.columns), ["---"] + ["---:"] * (shown.shape[1] - 1)]
    rows = [[_escaped(cell) for cell in row] for row in shown.to_numpy()]
    lines = [f"| {' | '.join(row)} |" for row in head + rows]
    return "\n".join([*lines, "", *(f"- {_escaped(sentence)}" for sentence in legend(table))]) + "\n"


def with_table(readme: str, table: pd.DataFrame, block: str = "table") -> str:
    """A README's text with the table between its two markers made anew.

    Args:
        readme: the text.
        table: a comparison of any kind.
        block: name of the markers: ``<!-- table:start -->``, ``<!-- table:end -->``.

    Raises:
        ValueError: where it does not hold each marker once, in order.
    """
    start, end = f"<!-- {block}:start -->", f"<!-- {block}:end -->"
    if readme.count(start) != 1 or readme.count(end) != 1 or readme.index(start) > readme.index(end):
        raise ValueError(f"the README must hold {start} and {end} once each, in this order")
    kinds = {
        "part": store_markdown,
        "question": probe_markdown,
        "ahead": worth_markdown,
        "world": worlds_markdown,
        "auc_per_offer": offer_markdown,
        "activity": activity_markdown,
        "direction": channel_markdown,
    }
    rendered = next((made for column, made in kinds.items() if column in table), markdown)(table)
    made = f"{start}\n{rendered}{end}"
    return re.sub(f"{start}.*{end}", lambda _: made, readme, flags=re.DOTALL)


def refresh(readme: Path, results: Path, block: str = "table") -> None:
    """Make a table of an experiment's README anew from its results.csv, or the block ``groups`` from its groups.csv."""
    text = with_table(readme.read_text(encoding="utf-8"), read_csv(results), block)
    readme.write_text(text, encoding="utf-8")


def _fitting(shown: pd.DataFrame, width: int) -> list[str]:
    """The columns, from the left, that stand unbroken in so many characters; the first three always."""
    columns = {name: [*_narrow(name).plain.split("\n"), *shown[name]] for name in shown.columns}
    widths = [max(map(len, column)) for column in columns.values()]
    ends = np.cumsum(np.minimum(widths, [_MODEL_WIDTH, *widths[1:]]) + 2) - 2
    return list(shown.columns[: max(3, int((ends <= width).sum()))])


def _narrow(header: str) -> Text:
    """Broken before the last word and before the list length, so that figures decide the column's width."""
    return Text(re.sub(r" (?=\S+$)|(?=@)", "\n", header))


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("|", r"\|")
