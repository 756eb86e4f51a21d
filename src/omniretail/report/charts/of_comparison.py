"""Which charts a comparison gets."""

from collections.abc import Iterator, Mapping

import pandas as pd

from omniretail.report.charts import models, recommenders, wins
from omniretail.report.charts.chart import Chart
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.result import Result


def charts(table: pd.DataFrame, results: Mapping[str, Result]) -> Iterator[Chart]:
    """Every chart that the comparison has the figures for.

    Args:
        table: from ``comparison``.
        results: one per model, by the table's names (see ``merged``).
    """
    if len(table) > 1:
        yield models.accuracy(table)
        if "fit_s" in table:
            yield models.by_cost(table)
        if wins.can_win(table, results):
            yield wins.chart(table, results)
        yield from _of_recommenders(table, results)
    elif {shown_metrics(table)[0], "n_history"} <= {*results[str(table.index[0])].per_unit.columns}:
        yield recommenders.accuracy_by_activity(shown_metrics(table)[0], results[str(table.index[0])])
    yield from _of_groups(table)


def _of_recommenders(table: pd.DataFrame, results: Mapping[str, Result]) -> Iterator[Chart]:
    primary, judged = shown_metrics(table)[0], [results[str(model)] for model in table.index]
    if all(recommenders.coverage_key(table) in result.values() for result in judged):
        yield recommenders.by_coverage(table, results)
    if baseline_of(table) and all({primary, "n_history"} <= {*result.per_unit.columns} for result in judged):
        yield recommenders.gain_by_activity(table, results)
    if all({f"repeat_{primary}", f"new_{primary}"} <= set(result.per_unit.columns) for result in judged):
        yield from recommenders.repeat_and_new(table, results)


def _of_groups(table: pd.DataFrame) -> Iterator[Chart]:
    """A chart for each metric that several groups have."""
    names = [metric.rpartition("/")[2] for metric in shown_metrics(table)]
    for metric in dict.fromkeys(name for name in names if len(models.keys_of_groups(table, name)) > 1):
        yield models.by_group(table, metric)
