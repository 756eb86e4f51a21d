"""The comparison: models best first, with intervals and paired tests; the one table of every task."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.names import is_gain, lower_is_better
from omniretail.metrics.significance import bootstrap_interval, bootstrap_test, holm, paired_test
from omniretail.report.tables.protocol import averaged, by_name, require_one_protocol
from omniretail.result import Result

_UNITS = {"treated": "customers", "offer_id": "mailings", "user_id": "users"}
"""Id among those of a row -> what the row is; the first that is there."""

_ABOUT = ("seeds", "primary_seed_sd", "units", "unit", "stage", "test", "p_best", "p_baseline", "against")


def comparison(
    results: Sequence[Result],
    metrics: Sequence[str],
    primary: str,
    baseline: str | None = None,
    tested: Sequence[str] = (),
) -> pd.DataFrame:
    """Put models side by side.

    Several seeds of one model are averaged per unit first; ``primary_seed_sd`` is then the standard deviation of the
    primary metric over seeds.

    Args:
        results: judged under one protocol.
        metrics: keys to show beside the primary one, or patterns of keys such as ``*/auc``.
        primary: key that models are ordered and tested by.
        baseline: name of the model that every other must beat; where it is absent there is no test against it.
        tested: keys or patterns of further metrics whose best is tested against the others.

    Returns:
        Best first, indexed by ``model``. Per metric its mean, ``…_low`` and ``…_high`` (95 %), the primary first;
        ``…_units`` (how many were judged) of metrics of groups; ``…_p`` of tested metrics, against the best in that
        metric; ``p_best`` and ``p_baseline`` of the primary one (Holm over the models; NaN for the reference itself);
        ``seeds``, ``primary_seed_sd``, ``units`` (how many were judged) and ``unit`` (what they are), ``stage``,
        ``test`` (which one the p-values are from) and the costs.

    Raises:
        SettingsError: where protocols differ, or a metric is missing from a result.
    """
    require_one_protocol(results)
    groups = by_name(results)
    merged = {name: averaged(name, group) for name, group in groups.items()}
    shown = _shown(list(merged.values()), primary, metrics)
    table = pd.concat([_estimates(merged, shown), _costs(groups, merged, primary)], axis="columns")
    ascending = lower_is_better(primary)
    table = table.rename_axis(index="model").sort_index().sort_values(primary, ascending=ascending, kind="stable")
    merged = {str(name): merged[str(name)] for name in table.index}
    p_values = {
        f"{metric}_p": p_against(_best(table.loc[:, metric]), metric, merged)
        for metric in shown
        if any(fnmatchcase(metric, pattern) for pattern in tested)
    }
    p_values["p_best"] = p_against(str(table.index[0]), primary, merged)
    p_values["p_baseline"] = p_against(baseline, primary, merged)
    return pd.concat([table, pd.DataFrame(p_values, index=table.index)], axis="columns")


def p_against(reference: str | None, metric: str, results: dict[str, Result]) -> pd.Series:
    """Holm-adjusted p-values of every other model against the reference; NaN for itself, or where it is absent.

    A metric with values per unit is tested by a paired t-test, any other by the paired bootstrap of its resamples.
    """
    p_values = pd.Series(np.nan, index=list(results))
    others = [name for name in results if name != reference]
    if reference in results and others:
        raw = np.array([_p(results[name], results[reference], metric) for name in others])
        tested = np.isfinite(raw)
        raw[tested] = holm(raw[tested])
        p_values[others] = raw
    return p_values


def shown_metrics(table: pd.DataFrame) -> list[str]:
    """The metrics of a comparison, the primary first."""
    return [column for column in table.columns if f"{column}_low" in table.columns]


def baseline_of(table: pd.DataFrame) -> str | None:
    """The model that the others were tested against as the baseline; None where there was none."""
    untested = table.index[table.p_baseline.isna()]
    return str(untested[0]) if len(untested) == 1 < len(table) else None


def metrics_tested(table: pd.DataFrame) -> list[str]:
    """The further metrics whose best was tested against the other models."""
    filled = filled_columns(pd.DataFrame(table[~is_difference(table)]))
    return [metric for metric in shown_metrics(table) if f"{metric}_p" in filled and not is_gain(metric)]


def filled_columns(table: pd.DataFrame) -> set[str]:
    """The columns in which at least one row has a value."""
    return {str(name) for name, column in table.items() if column.notna().any()}


def is_difference(table: pd.DataFrame) -> np.ndarray:
    """Which rows are no model but the difference between two, ``model`` minus ``against``; shape (rows,)."""
    return table.reindex(columns=["against"]).notna().to_numpy()[:, 0]


def costs_of(table: pd.DataFrame) -> list[str]:
    """The costs in a comparison: every column that is no metric and nothing about the runs."""
    estimates = {f"{metric}{end}" for metric in shown_metrics(table) for end in ("", "_low", "_high", "_p", "_units")}
    return [column for column in table.columns if column not in estimates and column not in _ABOUT]


def _shown(results: Sequence[Result], primary: str, patterns: Sequence[str]) -> list[str]:
    keys = list(dict.fromkeys(key for result in results for key in result.values()))
    shown = [primary]
    for pattern in patterns:
        matches = [key for key in keys if fnmatchcase(key, pattern)]
        shown += matches or ([] if "*" in pattern else [pattern])
    shown = list(dict.fromkeys(shown))
    for result in results:
        if missing := [key for key in shown if key not in result.values() and "/" not in key]:
            raise SettingsError(
                f"{result.model} was not judged by {', '.join(missing)}; it has {', '.join(result.values())}"
            )
    return shown


def _unit(per_unit: pd.DataFrame) -> str:
    """What is judged, in the plural, by the ids of its rows; rows of an experiment are customers, treated or not."""
    ids = {*map(str, per_unit.index.names), *map(str, per_unit.columns)}
    return next((unit for name, unit in _UNITS.items() if name in ids), "rows")


def _test(result: Result, metric: str) -> str:
    if metric in result.per_unit:
        return "paired t-test"
    return "paired bootstrap" if metric in result.resampled else ""


def _p(one: Result, other: Result, metric: str) -> float:
    if metric in one.per_unit and metric in other.per_unit:
        return paired_test(one.per_unit.loc[:, metric], other.per_unit.loc[:, metric])
    if metric in one.resampled and metric in other.resampled:
        gap = np.array([one.value(metric) - other.value(metric)])
        resampled = one.resampled[metric].to_numpy(float) - other.resampled[metric].to_numpy(float)
        return float(bootstrap_test(gap, resampled[None])[0])
    return float("nan")


def _best(values: pd.Series) -> str | None:
    present = values.dropna()
    if present.empty:
        return None
    return str(present.idxmin() if lower_is_better(str(values.name)) else present.idxmax())


def _estimates(merged: dict[str, Result], shown: Sequence[str]) -> pd.DataFrame:
    """Mean, low and high of every metric; one row per model."""
    columns = [column for metric in shown for column in (metric, f"{metric}_low", f"{metric}_high")]
    rows = {name: [end for metric in shown for end in _ends(result, metric)] for name, result in merged.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    counted = [m for m in shown if "/" in m and all(m in result.per_unit for result in merged.values())]
    counts = {name: [result.per_unit[metric].count() for metric in counted] for name, result in merged.items()}
    units = pd.DataFrame.from_dict(counts, orient="index", columns=[f"{metric}_units" for metric in counted])
    filled = filled_columns(table)
    unmade = [m for m in shown if f"{m}_low" not in filled and all(m in r.per_unit for r in merged.values())]
    if unmade:  # together, so that all are judged on the same resamples
        values = pd.concat([r.per_unit[unmade] for r in merged.values()], axis="columns")  # units matched by id
        low, high = (end.reshape(len(merged), len(unmade)) for end in bootstrap_interval(values.to_numpy(float)))
        for at, metric in enumerate(unmade):
            table[f"{metric}_low"], table[f"{metric}_high"] = low[:, at], high[:, at]
    return pd.concat([table, units], axis="columns")


def _ends(result: Result, metric: str) -> tuple[float, float, float]:
    keys = list(result.values())
    if metric not in keys:
        return np.nan, np.nan, np.nan
    row = result.metrics.iloc[keys.index(metric)]
    return float(row["value"]), float(row["low"]), float(row["high"])


def _costs(groups: dict[str, list[Result]], merged: dict[str, Result], primary: str) -> pd.DataFrame:
    return pd.DataFrame.from_dict(
        {
            name: {
                "seeds": len(groups[name]),
                "primary_seed_sd": pd.Series([each.value(primary) for each in groups[name]]).std(),
                "units": result.per_unit[primary].count() if primary in result.per_unit else len(result.per_unit),
                "unit": _unit(groups[name][0].per_unit),
                "stage": result.stage,
                "test": _test(result, primary),
                **result.cost,
            }
            for name, result in merged.items()
        },
        orient="index",
    )
