"""The comparison: models best first, with intervals and tests; what every table and page is made from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.metrics.significance import bootstrap_interval, holm, paired_test
from omniretail.report.tables.protocol import averaged, by_name, require_one_protocol
from omniretail.result import Result


def comparison(results: Sequence[Result], metrics: Sequence[str], primary: str, floor: str = "Popular") -> pd.DataFrame:
    """Put models side by side.

    Several seeds of one model are averaged per user first; ``primary_seed_sd`` is then the standard deviation of the
    primary metric over seeds.

    Args:
        results: judged under one protocol.
        metrics: keys to show; those of ``Result.overall`` have no interval.
        primary: key that models are ordered and tested by.
        floor: name of the model that every other must beat; without it there is no test against a floor.

    Returns:
        Best first, indexed by ``model``. Per metric its mean, ``…_low`` and ``…_high`` (95 % bootstrap over users), the
        primary first; ``p_best`` and ``p_floor`` (paired t-test on the primary, Holm over the models; NaN for the
        reference itself); ``seeds``, ``primary_seed_sd``, ``users``, ``stage``, ``fit_s``, ``score_s``,
        ``peak_memory_mb``.

    Raises:
        ValueError: where protocols differ, or a metric is missing from a result.
    """
    require_one_protocol(results)
    groups = by_name(results)
    merged = {name: averaged(name, group) for name, group in groups.items()}
    shown = list(dict.fromkeys([primary, *metrics]))
    _require_metrics(list(merged.values()), primary, shown)
    table = pd.concat([_estimates(merged, shown), _facts(groups, merged, primary)], axis="columns")
    table = table.rename_axis(index="model").sort_index().sort_values(primary, ascending=False, kind="stable")
    values = pd.DataFrame({name: merged[name].per_user[primary] for name in table.index})
    table["p_best"] = _p_against(str(table.index[0]), values)
    table["p_floor"] = _p_against(floor, values)
    return table


def shown_metrics(table: pd.DataFrame) -> list[str]:
    """The metrics of a comparison, the primary first."""
    return [column for column in table.columns if f"{column}_low" in table.columns]


def baseline_of(table: pd.DataFrame) -> str | None:
    """The model that the others were tested against as the floor; None where there was none."""
    untested = table.index[table.p_floor.isna()]
    return str(untested[0]) if len(untested) == 1 < len(table) else None


def to_csv(table: pd.DataFrame, path: Path) -> None:
    """Keep a comparison, every digit of it."""
    table.to_csv(path)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a comparison back, equal to the one that was kept; also one by questions, parts, channels or groups."""
    columns = pd.read_csv(path, nrows=0)
    if {"part", "question", "direction"} & set(columns):
        return pd.read_csv(path)
    if "activity" in columns:
        return pd.read_csv(path, dtype={"activity": str}, keep_default_na=False, na_values={"p": [""]})
    return pd.read_csv(path, index_col="model", dtype={"model": str}, keep_default_na=False, na_values=[""])


def _require_metrics(results: Sequence[Result], primary: str, shown: Sequence[str]) -> None:
    for result in results:
        if primary not in result.per_user:
            raise ValueError(f"{result.model} has no values per user of {primary}, which the models are tested on")
        missing = [m for m in shown if m not in result.per_user and m not in result.overall]
        if missing:
            known = ", ".join([*result.per_user.columns, *result.overall])
            raise ValueError(f"{result.model} was not judged by {', '.join(missing)}; it has {known}")


def _estimates(merged: dict[str, Result], shown: Sequence[str]) -> pd.DataFrame:
    """Mean, low and high of every metric; one row per model."""
    per_user = [m for m in shown if all(m in r.per_user for r in merged.values())]
    values = pd.concat([r.per_user[per_user] for r in merged.values()], axis="columns")  # users matched by id
    ends = [values.mean().to_numpy(), *bootstrap_interval(values.to_numpy())]
    mean, low, high = (end.reshape(len(merged), len(per_user)) for end in ends)
    table = pd.DataFrame(index=list(merged))
    for m in shown:
        if m in per_user:
            at = per_user.index(m)
            table[m], table[f"{m}_low"], table[f"{m}_high"] = mean[:, at], low[:, at], high[:, at]
        else:
            table[m], table[f"{m}_low"], table[f"{m}_high"] = [r.overall[m] for r in merged.values()], np.nan, np.nan
    return table


def _facts(groups: dict[str, list[Result]], merged: dict[str, Result], primary: str) -> pd.DataFrame:
    return pd.DataFrame.from_dict(
        {
            name: {
                "seeds": len(groups[name]),
                "primary_seed_sd": pd.Series([r.per_user[primary].mean() for r in groups[name]]).std(),
                "users": result.per_user[primary].count(),
                "stage": result.stage,
                "fit_s": result.fit_s,
                "score_s": result.score_s,
                "peak_memory_mb": result.peak_memory_mb,
            }
            for name, result in merged.items()
        },
        orient="index",
    )


def _p_against(reference: str, values: pd.DataFrame) -> pd.Series:
    """Holm-adjusted p-values of every other model against the reference; NaN for itself, or where it is absent."""
    p_values = pd.Series(np.nan, index=values.columns)
    others = values.columns.drop(reference, errors="ignore")
    if reference in values and len(others):
        raw = [paired_test(values.loc[:, name], values.loc[:, reference]) for name in others]
        p_values[others] = holm(np.array(raw))
    return p_values
