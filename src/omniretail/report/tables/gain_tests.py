"""Is a gain more than luck? Tested within each table, corrected over all of them."""

from collections.abc import Mapping, Sequence

import pandas as pd

from omniretail.metrics.names import is_gain
from omniretail.metrics.significance import holm, paired_test
from omniretail.report.tables.comparison import shown_metrics
from omniretail.result import Result


def with_gain_tests(parts: Sequence[tuple[pd.DataFrame, Mapping[str, Result]]]) -> list[pd.DataFrame]:
    """The tables with ``<key>_p`` of each gain that has values per unit: a paired t-test that it is zero.

    Holm-corrected over all tables, models and gains of the same group (``new_here`` in ``all_items/new_here/gain``).

    Args:
        parts: tables from ``comparison``, each with its results by name.
    """
    rows = [
        (number, model, metric, paired_test(values, values * 0))
        for number, (table, results) in enumerate(parts)
        for metric in filter(is_gain, shown_metrics(table))
        for model, result in results.items()
        if (values := result.per_unit.get(metric)) is not None
    ]
    p_values = pd.DataFrame(rows, columns=["table", "model", "metric", "p"])
    group = p_values.metric.str.rpartition("/")[0].str.rpartition("/")[2] if rows else p_values.metric
    p_values["p"] = p_values.groupby(group, sort=False).p.transform(lambda p: holm(p.to_numpy()))
    tables = []
    for number, (table, _) in enumerate(parts):
        own = p_values[p_values.table == number].pivot_table("p", "model", "metric").add_suffix("_p")
        tables.append(pd.concat([table.drop(columns=own.columns, errors="ignore"), own.reindex(table.index)], axis=1))
    return tables
