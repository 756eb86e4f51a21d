"""An experiment's folder: its tables in results.csv, and the same tables in its README between markers."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.csv_files import ONLY, read_csv, write_csv
from omniretail.report.tables.over_datasets import mean_over_datasets


def save_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Put tables into the folder's results.csv, in place of those of the same names, and into its README.

    Args:
        folder: of the experiment.
        tables: by the names of their blocks in the README; ``ONLY`` for the one between ``<!-- table:start -->`` and
            ``<!-- table:end -->``, any other for ``<!-- table:NAME:start -->`` and so on.

    Raises:
        ValueError: where the README has no markers.
    """
    path = folder / "results.csv"
    before = read_csv(path) if path.exists() else {}
    write_csv(path, before | dict(tables))
    refresh(folder)


def named_tables(tables: Sequence[pd.DataFrame], name: str = ONLY) -> dict[str, pd.DataFrame]:
    """Names for the tables of one command: several get numbers, and the name itself is that of their mean.

    Args:
        tables: one per protocol.
        name: of the markers.

    Raises:
        ValueError: where several tables are not of the same models and metrics.
    """
    if len(tables) == 1:
        return {name: tables[0]}
    numbered = {f"{name} {number}".strip(): table for number, table in enumerate(tables, start=1)}
    return {name: mean_over_datasets(tables), **numbered}


def refresh(folder: Path, readme: Path | None = None) -> None:
    """Make the tables of a README anew from the folder's results.csv.

    Args:
        folder: of the experiment.
        readme: None: the folder's.

    Raises:
        ValueError: where the README has no markers, or those of a table that is not there.
    """
    readme = readme or folder / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(with_tables(text, read_csv(folder / "results.csv")), encoding="utf-8")


def with_tables(readme: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """A README's text with every table between its markers made anew; a table without markers is passed over.

    Args:
        readme: the text.
        tables: by name.

    Raises:
        ValueError: where it has no markers, or those of a table that is not there.
    """
    blocks = re.findall(r"<!-- table:(?:([^:>]+):)?start -->", readme)
    if not blocks:
        raise ValueError("the README must hold <!-- table:start --> and <!-- table:end -->, where the table belongs")
    if unknown := set(blocks) - set(tables):
        raise ValueError(f"the README has markers of {', '.join(sorted(unknown))}, which results.csv does not hold")
    for name in blocks:
        start, end = (f"<!-- table:{f'{name}:' if name else ''}{side} -->" for side in ("start", "end"))
        readme = _between(readme, start, end, text_table(tables[name]).markdown())
    return readme


def _between(readme: str, start: str, end: str, text: str) -> str:
    if readme.count(start) != 1 or readme.count(end) != 1 or readme.index(start) > readme.index(end):
        raise ValueError(f"the README must hold {start} and {end} once each, in this order")
    return re.sub(f"{re.escape(start)}.*{re.escape(end)}", lambda _: f"{start}\n{text}{end}", readme, flags=re.DOTALL)
