"""Comparisons as CSV, every digit of them: one table in a file, or several by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.report.tables.comparison import shown_metrics

ONLY = ""
"""Name of the table of a file that holds one."""

_ALWAYS = ("seeds", "primary_seed_sd", "units", "p_best", "p_baseline", "test")


def write_csv(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write comparisons.

    Args:
        path: the file.
        tables: by name; one alone may have the name ``ONLY``, and is then written without the column ``table``.
    """
    together = pd.concat([rows.reset_index().assign(table=name) for name, rows in tables.items()], ignore_index=True)
    first = ["model"] if list(tables) == [ONLY] else ["table", "model"]
    together[[*first, *together.columns.drop(["table", "model"])]].to_csv(path, index=False)


def read_csv(path: Path) -> dict[str, pd.DataFrame]:
    """Read comparisons back, by name and equal to those that were written."""
    text: Any = {"table": str, "model": str, "against": str}
    together = pd.read_csv(path, index_col="model", dtype=text, keep_default_na=False, na_values=[""])
    together["test"] = together["test"].fillna("")
    if "table" not in together:
        return {ONLY: together}
    names = together.pop("table").fillna(ONLY)
    return {str(name): _own_columns(pd.DataFrame(together[names == name])) for name in names.unique()}


def _own_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """A table without columns that only others of its file have; a metric has its interval, even an empty one."""
    filled = {str(column) for column, present in rows.notna().any().items() if present}
    estimates = {
        f"{metric}{end}" for metric in shown_metrics(rows) if metric in filled for end in ("", "_low", "_high")
    }
    return pd.DataFrame(rows[[column for column in rows.columns if column in {*filled, *estimates, *_ALWAYS}]])
