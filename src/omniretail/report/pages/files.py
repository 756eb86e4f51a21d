"""Tables beside a page, for whoever works on with them."""

from pathlib import Path

import pandas as pd


def write_beside(page: Path, name: str, rows: pd.DataFrame) -> str:
    """Write a table as CSV beside a page.

    Args:
        page: the page's file; its folder is made.
        name: what the rows are, e.g. ``customers``.
        rows: the table.

    Returns:
        Name of the file, ``<page>_<name>.csv``.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    path = page.with_name(f"{page.stem}_{name}.csv")
    rows.to_csv(path, index=False)
    return path.name


def beside(page: Path) -> list[Path]:
    """The tables that were written beside a page."""
    return sorted(page.parent.glob(f"{page.stem}_*.csv"))
