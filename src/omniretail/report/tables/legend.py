"""How to read a comparison, in sentences for somebody who has never seen one."""

import pandas as pd

from omniretail.metrics.names import is_gain, label, lower_is_better
from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.comparison import (
    baseline_of,
    costs_of,
    filled_columns,
    is_difference,
    metrics_tested,
    shown_metrics,
)

TIED = "†"
"""Marks a model that does not differ significantly from the best."""

_COSTS = {"peak_memory_mb": "MiB"}


def legend(table: pd.DataFrame) -> list[str]:
    """The sentences below a comparison."""
    metrics, first, baseline = shown_metrics(table), table.iloc[0], baseline_of(table)
    primary, mean = label(metrics[0]), first.test == "paired t-test" or first.unit == "datasets"
    losses = [label(metric) for metric in metrics if lower_is_better(metric)]
    sentences = [
        f"{primary} is {'the mean over' if mean else 'computed over'} {table.units.max():,} {first.unit} of the "
        f"{first.stage} stage, best first.",
        *_interval_sentence(table, "mean" if mean else "value"),
        *([f"Lower is better: {', '.join(losses)}."] if losses else []),
        *_test_sentences(table, primary),
        *gain_sentences(table),
    ]
    if baseline is not None:
        change = "change against" if losses[:1] == [primary] else "gain over"
        sentences.append(f"vs {baseline}: {change} {baseline}, the baseline, with its p.")
    if (table.seeds > 1).any():
        sentences.append(f"seeds: runs averaged, and the standard deviation of {primary} between them.")
    return [*sentences, *_cost_sentences(table)]


def has_interval(table: pd.DataFrame) -> bool:
    """Whether the primary metric has intervals."""
    return f"{shown_metrics(table)[0]}_low" in filled_columns(table)


def cost_label(cost: str) -> str:
    """Heading of a cost."""
    return _COSTS.get(cost, cost.replace("_", " "))


def gain_sentences(table: pd.DataFrame) -> list[str]:
    """What the p-value of a gain is."""
    if not {f"{metric}_p" for metric in shown_metrics(table) if is_gain(metric)} & filled_columns(table):
        return []
    luck = "how often luck alone would set it so far from zero"
    return [f"p of a gain: {luck} (two-sided paired t-test, Holm-corrected)."]


def _interval_sentence(table: pd.DataFrame, what: str) -> list[str]:
    likely = f"where that {what} would likely fall with other users of the same kind (bootstrap over users)"
    return [f"95 % interval: {likely}."] if has_interval(table) else []


def _test_sentences(table: pd.DataFrame, primary: str) -> list[str]:
    luck = "how often luck alone would make two equally good models differ at least"
    differences, test = pd.DataFrame(table[is_difference(table)]), f"two-sided {table.test.iloc[0]} over users"
    if len(differences):
        counts = [len(differences.dropna(subset=[f"{metric}_p"])) for metric in shown_metrics(table)]
        others = f", {sum(counts[1:])} times for the groups" if counts[1:] else ""
        return [
            f"A − B: the mean difference, and in brackets {luck} so much ({test}, Holm-corrected: {counts[0]} times "
            f"for all users{others})."
        ]
    tested, sentences = metrics_tested(table), []
    filled = filled_columns(table)
    if {"p_best", "p_baseline"} & filled:
        comparisons = f"{len(table) - 1} comparison{'s' if len(table) > 2 else ''}"
        sentences.append(f"p: {luck} this much in {primary} ({test}, Holm-corrected for {comparisons}).")
    if "p_best" in filled and not tested:
        sentences.append(f"{TIED} not significantly different from the best (p ≥ {ALPHA}).")
    if tested:
        sentences.append(
            f"Bold: the best in a metric; {TIED} not significantly different from it (p ≥ {ALPHA}; {test})."
        )
    return sentences


def _cost_sentences(table: pd.DataFrame) -> list[str]:
    timed = [cost for cost in costs_of(table) if cost.endswith("_s")]
    steps = " and ".join(f"to {cost.removesuffix('_s').replace('_', ' ')}" for cost in timed)
    seconds = [f"{', '.join(map(cost_label, timed))}: seconds {steps}"] if timed else []
    memory = ["MiB: peak memory"] if "peak_memory_mb" in table else []
    return [f"{'; '.join([*seconds, *memory])}."] if seconds or memory else []
