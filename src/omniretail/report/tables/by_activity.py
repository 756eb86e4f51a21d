"""Recommenders beside each other by how much was known of the customer, and pairs of them tested group by group."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.metrics.names import label
from omniretail.metrics.significance import holm, paired_test
from omniretail.report.tables.activity_groups import Groups, by_group, groups
from omniretail.report.tables.format import figure, probability
from omniretail.report.tables.plain import plain_markdown
from omniretail.report.tables.protocol import merged, require_one_protocol
from omniretail.result import Result

EVERYBODY = "all"


def pairs_against(results: Sequence[Result], reference: str) -> list[tuple[str, str]]:
    """Every other model with the reference."""
    return [(name, reference) for name in merged(results) if name != reference]


def activity_comparison(
    results: Sequence[Result], primary: str, pairs: Sequence[tuple[str, str]], n_groups: int = 5
) -> pd.DataFrame:
    """Means of all users and of groups by activity; and for each pair of models the mean difference with its p-value.

    Args:
        results: judged under one protocol.
        primary: key of the metric.
        pairs: names of two models each, as in ``comparison``: the first minus the second.
        n_groups: of users by the number of events before the cutoff, of about equal size.

    Returns:
        A row per model or pair and group: ``model``, ``against`` (empty: a mean, not a difference), ``activity``,
        ``users``, ``value``, ``low``, ``high`` (95 % bootstrap over users), ``p`` (paired t-test, Holm-corrected over
        the pairs for all users, and over pairs and groups for the groups; NaN for a mean), ``metric``. Models best
        first, then pairs in their order.

    Raises:
        ValueError: where protocols differ, or a pair names a model that is not there.
    """
    require_one_protocol(results)
    named = merged(results)
    for name in (name for pair in pairs for name in pair):
        if name not in named:
            raise ValueError(f"{name!r} is not among the models compared, which are {', '.join(named)}")
    values = pd.DataFrame({name: result.per_unit[primary] for name, result in named.items()}).dropna()
    values = pd.DataFrame(values[values.mean().sort_values(ascending=False, kind="stable").index])
    active = next(iter(named.values())).per_unit.n_history.loc[values.index].to_numpy()
    everybody = Groups(np.zeros(len(values), dtype=int), [EVERYBODY], [len(values)])
    parts = [_rows(values, pairs, grouped) for grouped in (everybody, groups(active, n_groups))]
    table = pd.concat(parts, ignore_index=True).assign(metric=primary)
    order = {key: place for place, key in enumerate([*((name, "") for name in values), *pairs])}
    place = pd.Series([order[key] for key in zip(table.model, table.against, strict=True)])
    return table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def activity_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The same as text: a row per model or pair, a column per group."""
    shown = table.assign(text=[_text(row) for row in table.to_dict("records")], name=_names(table))
    order = list(dict.fromkeys(shown.name)), list(dict.fromkeys(table.activity))
    wide = shown.pivot_table(aggfunc="first", index="name", columns="activity", values="text").loc[order[0], order[1]]
    users = table.drop_duplicates("activity").set_index("activity").users.map("{:,}".format)
    wide = pd.concat([users.to_frame("users").T, wide])
    wide.index.name = "events before the cutoff"
    return wide.reset_index()


def activity_legend(table: pd.DataFrame) -> list[str]:
    """How to read it, in sentences."""
    name, compared = label(str(table.metric.iloc[0])), table[table.against.str.len() > 0]
    n_all = int((compared.activity == EVERYBODY).sum())
    return [
        f"{name}, the mean over users: all of them, and by how many events a user had before the cutoff.",
        "A − B: the mean difference, and in brackets how often luck alone would make two equally good models differ at "
        f"least so much (two-sided paired t-test over users, Holm-corrected: {n_all} times for all users, "
        f"{len(compared) - n_all} times for the groups). For all users also the 95 % interval (bootstrap).",
    ]


def activity_markdown(table: pd.DataFrame) -> str:
    """For a README: the table and how to read it."""
    return plain_markdown(activity_cells(table), activity_legend(table))


def _rows(values: pd.DataFrame, pairs: Sequence[tuple[str, str]], grouped: Groups) -> pd.DataFrame:
    keys = [*((str(name), "") for name in values), *pairs]
    series = {str(key): (values[key[0]] - values[key[1]] if key[1] else values[key[0]]).to_numpy() for key in keys}
    table = by_group(series, grouped).rename(columns={"mean": "value"})
    n_groups = len(grouped.names)
    table["model"], table["against"] = zip(*(keys * n_groups), strict=True)
    table["activity"] = np.repeat(grouped.names, len(keys))
    table["users"] = np.repeat(grouped.sizes, len(keys))
    inside = [pd.DataFrame(values[grouped.of == group]) for group in range(n_groups)]
    p_values = [paired_test(part.loc[:, one], part.loc[:, other]) for part in inside for one, other in pairs]
    table["p"] = np.nan
    table.loc[table.against != "", "p"] = holm(np.array(p_values))
    return pd.DataFrame(table[["model", "against", "activity", "users", "value", "low", "high", "p"]])


def _names(table: pd.DataFrame) -> list[str]:
    pairs = zip(table.model, table.against, strict=True)
    return [f"{model} − {against}" if against else str(model) for model, against in pairs]


def _text(row: dict) -> str:
    if not row["against"]:
        return figure(row["value"])
    ends = f" [{_signed(row['low'])}, {_signed(row['high'])}]" if row["activity"] == EVERYBODY else ""
    return f"{_signed(row['value'])}{ends} ({probability(row['p'])})"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")
