"""One run with metrics of several groups: a row per group, a column per metric."""

import math
import re
from posixpath import commonpath

import pandas as pd

from omniretail.metrics.names import group_label, is_gain, label, lower_is_better
from omniretail.report.tables.comparison import costs_of, shown_metrics
from omniretail.report.tables.format import NOTHING, amount, difference, figure, interval, probability
from omniretail.report.tables.legend import gain_sentences
from omniretail.report.tables.text_table import TextTable

_ALL = "all"


def has_groups(table: pd.DataFrame) -> bool:
    """Whether the metrics of a comparison are those of groups."""
    return any("/" in metric for metric in shown_metrics(table))


def single_run(table: pd.DataFrame) -> TextTable:
    """The groups of one model.

    Args:
        table: a comparison of one row.
    """
    row, name = table.iloc[0], str(table.index[0])
    wide: dict[str, dict[str, str]] = {}
    for key in shown_metrics(table):
        group, _, metric = key.rpartition("/")
        if row[key] == row[key]:
            wide.setdefault(group, {})[metric] = _figure(row, key)
    cells = pd.DataFrame.from_dict(wide, orient="index").fillna(NOTHING)
    losses = [label(metric) for metric in cells if lower_is_better(str(metric))]
    cells = cells.rename(columns=label)
    counts = [_count(row, str(group)) for group in cells.index]
    if any(counts):
        cells.insert(0, str(row["unit"]), [count or NOTHING for count in counts])
    cells.insert(0, name, _labels([str(group) for group in cells.index]))
    return TextTable(cells.reset_index(drop=True), _legend(table, losses))


def _labels(groups: list[str]) -> list[str]:
    """Groups in words, without the parts that all start with."""
    shared = commonpath([group.rpartition("/")[0] for group in groups])
    return [group_label(group.removeprefix(f"{shared}/")) or _ALL for group in groups]


def _count(row: pd.Series, group: str) -> str:
    """How many of a group were judged; empty where that was not counted."""
    columns = [key for key in row.index if re.fullmatch(rf"{re.escape(group)}/[^/]+_units", str(key))]
    counts = pd.Series(row[columns]).dropna().to_list()
    return f"{counts[0]:,.0f}" if counts else ""


def _figure(row: pd.Series, key: str) -> str:
    """A value with its interval, and with its p-value where it has one."""
    value, low, high, p = row.reindex([key, *(f"{key}_{end}" for end in ("low", "high", "p"))]).to_numpy(float)
    brackets = [] if math.isnan(low) else [interval(low, high)]
    brackets += [] if math.isnan(p) else [f"p {probability(p)}"]
    return (difference(value) if is_gain(key) else figure(value)) + (f" ({', '.join(brackets)})" if brackets else "")


def _legend(table: pd.DataFrame, losses: list[str]) -> list[str]:
    first = table.iloc[0]
    costs = ", ".join(f"{cost.replace('_', ' ')} {amount(first[cost])}" for cost in costs_of(table))
    return [
        f"{table.units.max():,} {first.unit} of the {first.stage} stage; in brackets the 95 % interval: where a value "
        "would likely fall with other users of the same kind (bootstrap over users).",
        *gain_sentences(table),
        *([f"Lower is better: {', '.join(losses)}."] if losses else []),
        *([f"Cost: {costs.replace('peak memory mb', 'peak memory MiB')}."] if costs else []),
    ]
