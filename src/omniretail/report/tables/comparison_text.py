"""A comparison in words: its cells, how to read them, the verdict."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from omniretail.metrics.names import group_label, label, lower_is_better
from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.comparison import (
    baseline_of,
    costs_of,
    filled_columns,
    is_difference,
    metrics_tested,
    shown_metrics,
)
from omniretail.report.tables.format import NOTHING, amount, difference, figure, interval, percent, probability
from omniretail.report.tables.single_run import has_groups, single_run
from omniretail.report.tables.text_table import TextTable

TIED = "†"
_COSTS = {"peak_memory_mb": "MiB"}


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
    ends = table[f"{primary}_low"], table[f"{primary}_high"]
    shown: dict[str, Iterable[str]] = {
        "model": row_names(table),
        labels[primary]: _marked(table, primary, "p_best"),
    }
    if _has_interval(table):
        shown["95 % interval"] = map(interval, *ends)
    shown |= {labels[metric]: _marked(table, metric, f"{metric}_p") for metric in others}
    if table.p_best.notna().any():
        shown["p vs best"] = map(probability, table.p_best)
    if baseline is not None:
        shown[f"vs {baseline} (p)"] = map(_with_p, gains(table), table.p_baseline)
    if (table.seeds > 1).any():
        shown["seeds (± sd)"] = map(_seeds, table.seeds, table.primary_seed_sd)
    shown |= {_cost_label(cost): map(amount, table[cost]) for cost in costs_of(table)}
    return pd.DataFrame({name: list(column) for name, column in shown.items()})


def row_names(table: pd.DataFrame) -> list[str]:
    """Models by name, differences as ``A − B``."""
    names = map(str, table.index)
    if "against" not in table:
        return list(names)
    pairs = zip(names, table.against, is_difference(table), strict=True)
    return [f"{name} − {other}" if differs else name for name, other, differs in pairs]


def metric_labels(table: pd.DataFrame) -> dict[str, str]:
    """Metric -> heading; where all others are groups of the primary one, the group alone."""
    primary, *others = shown_metrics(table)
    if others and all(metric.endswith(f"/{primary}") for metric in others):
        return {primary: label(primary), **{m: group_label(m.removesuffix(f"/{primary}")) for m in others}}
    return {metric: label(metric) for metric in (primary, *others)}


def legend(table: pd.DataFrame) -> list[str]:
    """How to read the table, in sentences for somebody who has never seen one."""
    metrics, first, baseline = shown_metrics(table), table.iloc[0], baseline_of(table)
    primary, mean = label(metrics[0]), first.test == "paired t-test" or first.unit == "datasets"
    losses = [label(metric) for metric in metrics if lower_is_better(metric)]
    sentences = [
        f"{primary} is {'the mean over' if mean else 'computed over'} {table.units.max():,} {first.unit} of the "
        f"{first.stage} stage, best first.",
        *_interval_sentence(table, "mean" if mean else "value"),
        *([f"Lower is better: {', '.join(losses)}."] if losses else []),
        *_test_sentences(table, primary),
    ]
    if baseline is not None:
        change = "change against" if losses[:1] == [primary] else "gain over"
        sentences.append(f"vs {baseline}: {change} {baseline}, the baseline, with its p.")
    if (table.seeds > 1).any():
        sentences.append(f"seeds: runs averaged, and the standard deviation of {primary} between them.")
    return [*sentences, *_cost_sentences(table)]


def verdict(table: pd.DataFrame, reference: str) -> str:
    """Whether the best model beats a named one, in an honest sentence.

    Args:
        table: from ``comparison``.
        reference: a model of the table, e.g. ``PersonalTop``.

    Raises:
        KeyError: where the table has no such model.
    """
    if reference not in table.index:
        raise KeyError(f"{reference} is not in the comparison; it holds {', '.join(map(str, table.index))}")
    primary, best = shown_metrics(table)[0], str(table.index[0])
    reached, top, p = table.loc[reference, primary], table.loc[best, primary], table.loc[reference, "p_best"]
    name = label(primary)
    if reference == best:
        return f"Nothing beats {reference}: with {name} {figure(reached)} it is the best of {len(table)} models."
    figures = f"{name} {figure(top)} against {figure(reached)}{_p_words(p)}"
    if math.isnan(p) or p >= ALPHA:
        how = "was not tested against it" if math.isnan(p) else "does not differ significantly"
        return f"Nothing is shown to beat {reference}: the best model, {best}, {how} ({figures})."
    return f"{best} beats {reference} by {_margin(table, reference)} ({figures})."


def gains(table: pd.DataFrame) -> list[str]:
    """Each model's primary metric relative to the baseline's; the difference where the baseline may be zero."""
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    reference = math.nan if baseline is None else float(table.loc[baseline, primary])
    if math.isnan(reference):
        return [NOTHING] * len(table)
    if _relative(table, str(baseline)):
        return [percent(value / reference - 1) for value in table[primary]]
    return [difference(value - reference) for value in table[primary]]


def tied(table: pd.DataFrame) -> list[bool]:
    """Which models do not differ significantly from the best."""
    return [bool(p >= ALPHA) for p in table.p_best]


def _relative(table: pd.DataFrame, reference: str) -> bool:
    """Whether a share of the reference's metric says something: it is surely above zero, and no model is below."""
    primary = shown_metrics(table)[0]
    low = table[f"{primary}_low"].fillna(table[primary])
    return bool(low[reference] > 0 and min(table[primary]) >= 0)


def _marked(table: pd.DataFrame, metric: str, against_best: str) -> list[str]:
    """A metric as text: † where a model ties with the best; a difference has its sign and its p in brackets.

    Args:
        table: from ``comparison``.
        metric: one of its columns.
        against_best: the column with the p-values of models against the best in it.
    """
    p_values = table.reindex(columns=[metric, against_best, f"{metric}_p"]).to_numpy(float)
    return [
        _with_p(difference(value), own_p) if differs else figure(value) + (TIED if p >= ALPHA else "")
        for (value, p, own_p), differs in zip(p_values, is_difference(table), strict=True)
    ]


def _best_row(table: pd.DataFrame, metric: str) -> int:
    values = np.where(is_difference(table), np.nan, table[metric].to_numpy(float))
    return int(np.nanargmin(values) if lower_is_better(metric) else np.nanargmax(values))


def _with_p(gain: str, p: float) -> str:
    return NOTHING if math.isnan(p) else f"{gain} ({probability(p)})"


def _seeds(n: int, sd: float) -> str:
    return f"{n} ± {figure(sd)}" if n > 1 else str(n)


def _margin(table: pd.DataFrame, reference: str) -> str:
    values = table[shown_metrics(table)[0]]
    top, than = values.iloc[0], values[reference]
    return percent(abs(top / than - 1)).lstrip("+") if _relative(table, reference) else figure(abs(top - than))


def _p_words(p: float) -> str:
    if math.isnan(p):
        return ""
    words = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return ", " + words.replace(" ", "\N{NO-BREAK SPACE}")


def _has_interval(table: pd.DataFrame) -> bool:
    return f"{shown_metrics(table)[0]}_low" in filled_columns(table)


def _interval_sentence(table: pd.DataFrame, what: str) -> list[str]:
    likely = f"where that {what} would likely fall with other users of the same kind (bootstrap over users)"
    return [f"95 % interval: {likely}."] if _has_interval(table) else []


def _test_sentences(table: pd.DataFrame, primary: str) -> list[str]:
    luck = "how often luck alone would make two equally good models differ at least"
    differences, test = pd.DataFrame(table[is_difference(table)]), table.test.iloc[0]
    if len(differences):
        counts = [len(differences.dropna(subset=[f"{metric}_p"])) for metric in shown_metrics(table)]
        others = f", {sum(counts[1:])} times for the groups" if counts[1:] else ""
        return [
            f"A − B: the mean difference, and in brackets {luck} so much (two-sided {test} over users, Holm-corrected: "
            f"{counts[0]} times for all users{others})."
        ]
    if len(table) == 1 or not test:
        return []
    first = (
        f"p: {luck} this much in {primary} (two-sided {test} over users, Holm-corrected for {len(table) - 1} "
        "comparisons)."
    )
    tie = f"{TIED} not significantly different from"
    if metrics_tested(table):
        return [first, f"Bold: the best in a metric; {tie} it (p ≥ {ALPHA}, Holm-corrected)."]
    return [first, f"{tie} the best (p ≥ {ALPHA})."]


def _cost_label(cost: str) -> str:
    return _COSTS.get(cost, cost.replace("_", " "))


def _cost_sentences(table: pd.DataFrame) -> list[str]:
    timed = [cost for cost in costs_of(table) if cost.endswith("_s")]
    steps = " and ".join(f"to {cost.removesuffix('_s').replace('_', ' ')}" for cost in timed)
    seconds = [f"{', '.join(map(_cost_label, timed))}: seconds {steps}"] if timed else []
    memory = ["MiB: peak memory"] if "peak_memory_mb" in table else []
    return [f"{'; '.join([*seconds, *memory])}."] if seconds or memory else []
