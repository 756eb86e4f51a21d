"""An experiment's folder: its tables in results.csv, and the same tables in its README between markers."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from omniretail.core.errors import SettingsError
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
        SettingsError: where the README has no markers.
    """
    path, readme = folder / "results.csv", folder / "README.md"
    before = read_csv(path) if path.exists() else {}
    text = with_tables(readme.read_text(encoding="utf-8"), before | dict(tables))
    write_csv(path, before | dict(tables))
    readme.write_text(text, encoding="utf-8")


def named_tables(tables: Sequence[pd.DataFrame], name: str = ONLY) -> dict[str, pd.DataFrame]:
    """Names for the tables of one command: several get numbers, and the name itself is that of their mean.

    Args:
        tables: one per protocol.
        name: of the markers; or as many names as there are tables, separated by commas.

    Raises:
        SettingsError: where several tables are not of the same models and metrics, or there are more names or fewer.
    """
    names = name.split(",")
    if len(names) not in (1, len(tables)):
        raise SettingsError(f"--table has {len(names)} names and there are {len(tables)} tables; give each a name")
    if len(names) == len(tables):
        return dict(zip(names, tables, strict=True))
    numbered = {f"{name} {number}".strip(): table for number, table in enumerate(tables, start=1)}
    return {name: mean_over_datasets(tables), **numbered}


def refresh(folder: Path, readme: Path | None = None) -> None:
    """Make the tables of a README anew from the folder's results.csv.

    Args:
        folder: of the experiment.
        readme: None: the folder's.

    Raises:
        SettingsError: where the README has no markers, or those of a table that is not there.
    """
    readme, tables = readme or folder / "README.md", read_csv(folder / "results.csv")
    text = readme.read_text(encoding="utf-8")
    if missing := set(blocks(text)) - set(tables):
        raise SettingsError(f"the README has markers of {', '.join(sorted(missing))}, which results.csv does not hold")
    readme.write_text(with_tables(text, tables), encoding="utf-8")


def with_tables(readme: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """A README's text with the tables between their markers made anew; a table without markers is passed over.

    Args:
        readme: the text.
        tables: by name.

    Raises:
        SettingsError: where it has no markers, or not in pairs.
    """
    if not blocks(readme):
        raise SettingsError("the README must hold <!-- table:start --> and <!-- table:end -->, where the table belongs")
    for name in filter(tables.__contains__, blocks(readme)):
        start, end = (f"<!-- table:{f'{name}:' if name else ''}{side} -->" for side in ("start", "end"))
        readme = _between(readme, start, end, text_table(tables[name]).markdown())
    return readme


def blocks(readme: str) -> list[str]:
    r"""Names of the tables whose markers a README has.

    >>> blocks("<!-- table:start -->\n<!-- table:end -->\n<!-- table:by group:start -->")
    ['', 'by group']
    """
    return re.findall(r"<!-- table:(?:([^:>]+):)?start -->", readme)


def _between(readme: str, start: str, end: str, text: str) -> str:
    if readme.count(start) != 1 or readme.count(end) != 1 or readme.index(start) > readme.index(end):
        raise SettingsError(f"the README must hold {start} and {end} once each, in this order")
    return re.sub(f"{re.escape(start)}.*{re.escape(end)}", lambda _: f"{start}\n{text}{end}", readme, flags=re.DOTALL)
