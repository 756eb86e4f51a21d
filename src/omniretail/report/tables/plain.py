"""A table of texts with sentences under it: in a README, in a terminal, and as a page without scripts or plots."""

import html
from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.table import Table

from omniretail.report.pages.templates import rendered
from omniretail.schema import DatasetCard

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#22272e}"
    "table{border-collapse:collapse}th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid #e3e6e9;"
    "font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}li,p{color:#6b7580}"
)


def plain_markdown(shown: pd.DataFrame, sentences: Sequence[str]) -> str:
    """For a README.

    Args:
        shown: texts, the names in the first column; ``**…**`` is bold.
        sentences: how to read it.
    """
    head = [list(shown.columns), ["---"] + ["---:"] * (shown.shape[1] - 1)]
    lines = [f"| {' | '.join(map(str, row))} |" for row in [*head, *shown.to_numpy().tolist()]]
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in sentences)]) + "\n"


def plain_terminal(shown: pd.DataFrame) -> Table:
    """For ``rich.console.Console.print``."""
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, name in enumerate(shown):
        grid.add_column(str(name).replace(" ", "\n"), justify="right" if number else "left", overflow="fold")
    for row in shown.replace({r"\*\*": "", "_": " "}, regex=True).to_numpy().tolist():
        grid.add_row(*map(str, row))
    return grid


def plain_html(shown: pd.DataFrame, sentences: Sequence[str], title: str, data: DatasetCard) -> str:
    """A page of its own."""
    cells = shown.to_html(index=False, escape=True, border=0)
    while "**" in cells:
        cells = cells.replace("**", "<b>", 1).replace("**", "</b>", 1)
    legend = "".join(f"<li>{html.escape(sentence).replace('**', '')}</li>" for sentence in sentences)
    heading = html.escape(title)
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{heading}</title><style>{_STYLE}</style>"
        f"<h1>{heading}</h1>{cells}<ul>{legend}</ul>{rendered('data', data=data)}</html>\n"
    )
