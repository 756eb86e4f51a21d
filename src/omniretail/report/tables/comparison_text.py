"""A comparison as text: its cells, which of them stand out, and the sentences below it."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from omniretail.metrics.names import group_label, is_gain, label, lower_is_better
from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.comparison import baseline_of, costs_of, is_difference, metrics_tested, shown_metrics
from omniretail.report.tables.format import NOTHING, amount, difference, figure, interval, probability
from omniretail.report.tables.legend import TIED, cost_label, has_interval, legend
from omniretail.report.tables.single_run import has_groups, single_run
from omniretail.report.tables.text_table import TextTable
from omniretail.report.tables.verdict import gains


def text_table(table: pd.DataFrame) -> TextTable:
    """A comparison as text; one model with metrics of several groups gets a row per group.

    Args:
        table: from ``comparison``.
    """
    if len(table) == 1 and has_groups(table):
        return single_run(table)
    shown, labels = cells(table), metric_labels(table)
    columns = {metric: list(shown.columns).index(heading) for metric, heading in labels.items()}
    tested = metrics_tested(table)
    marked = dict.fromkeys([next(iter(labels)), *tested]) if tested else {}
    best = frozenset((_best_row(table, metric), columns[metric]) for metric in marked)
    return TextTable(shown, legend(table), best, faint=baseline_of(table), required=1 + max(columns.values()))


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as text, one column per column shown."""
    labels, baseline = metric_labels(table), baseline_of(table)
    primary, *others = labels
    shown: dict[str, Iterable[str]] = {"model": row_names(table), labels[primary]: _marked(table, primary, "p_best")}
    if has_interval(table):
        shown["95 % interval"] = map(interval, table[f"{primary}_low"], table[f"{primary}_high"])
    shown |= {labels[metric]: _marked(table, metric, f"{metric}_p") for metric in others}
    if table.p_best.notna().any():
        shown["p vs best"] = map(probability, table.p_best)
    if baseline is not None:
        shown[f"vs {baseline} (p)"] = map(_with_p, gains(table), table.p_baseline)
    if (table.seeds > 1).any():
        shown["seeds (± sd)"] = map(_seeds, table.seeds, table.primary_seed_sd)
    shown |= {cost_label(cost): map(amount, table[cost]) for cost in costs_of(table)}
    return pd.DataFrame({name: list(column) for name, column in shown.items()})


def row_names(table: pd.DataFrame) -> list[str]:
    """Models by name, differences as ``A − B``."""
    names = map(str, table.index)
    if "against" not in table:
        return list(names)
    pairs = zip(names, table.against, is_difference(table), strict=True)
    return [f"{name} − {other}" if differs else name for name, other, differs in pairs]


def metric_labels(table: pd.DataFrame) -> dict[str, str]:
    """Metric -> heading, without what all the others share with the primary one: its metric, or its group."""
    primary, *others = shown_metrics(table)
    group = primary.rpartition("/")[0]
    if others and all(metric.endswith(f"/{primary}") for metric in others):
        names = {metric: group_label(metric.removesuffix(f"/{primary}")) for metric in others}
    elif group and all(metric.startswith(f"{group}/") for metric in others):
        names = {metric: label(metric.removeprefix(f"{group}/")) for metric in others}
    else:
        names = {metric: label(metric) for metric in others}
    return {primary: label(primary), **names}


def tied(table: pd.DataFrame) -> list[bool]:
    """Which models do not differ significantly from the best."""
    return [bool(p >= ALPHA) for p in table.p_best]


def _marked(table: pd.DataFrame, metric: str, against_best: str) -> list[str]:
    """A metric as text: † where a model ties with the best; a difference or gain has its sign and its p in brackets.

    Args:
        table: from ``comparison``.
        metric: one of its columns.
        against_best: the column with the p-values of models against the best in it.
    """
    p_values = table.reindex(columns=[metric, against_best, f"{metric}_p"]).to_numpy(float)
    signed = is_difference(table) | is_gain(metric)
    return [
        _signed(value, own_p) if has_sign else figure(value) + (TIED if p >= ALPHA else "")
        for (value, p, own_p), has_sign in zip(p_values, signed, strict=True)
    ]


def _best_row(table: pd.DataFrame, metric: str) -> int:
    values = np.where(is_difference(table), np.nan, table[metric].to_numpy(float))
    return int(np.nanargmin(values) if lower_is_better(metric) else np.nanargmax(values))


def _signed(value: float, p: float) -> str:
    return difference(value) if math.isnan(p) else f"{difference(value)} ({probability(p)})"


def _with_p(gain: str, p: float) -> str:
    return NOTHING if math.isnan(p) else f"{gain} ({probability(p)})"


def _seeds(n: int, sd: float) -> str:
    return f"{n} ± {figure(sd)}" if n > 1 else str(n)
