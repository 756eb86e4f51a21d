"""Recommenders by the customer's activity, and pairs of them tested group by group."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.significance import holm, paired_test
from omniretail.report.tables.activity_groups import Groups, by_group, groups
from omniretail.report.tables.protocol import merged, named_model, require_one_protocol
from omniretail.result import Result, key

Pairs = Sequence[tuple[str, str]]


def by_activity(
    results: Sequence[Result], primary: str, pairs: Pairs = (), against: str | None = None, n_groups: int = 5
) -> pd.DataFrame:
    """Means of all users and of groups by activity; and for pairs of models the mean difference with its p-value.

    Args:
        results: judged under one protocol.
        primary: key of the metric.
        pairs: two models each, by their names in ``comparison`` or by how these start: the first minus the second.
        against: without pairs, the model that every other is tested against; None: the best.
        n_groups: of users by the number of events before the cutoff, of about equal size.

    Returns:
        A table like that of ``comparison``: models best first, then a row per pair, whose second model stands in
        ``against``. The primary metric of all users and of each group (``<from>–<to> events (<users> users)``), with
        95 % intervals (bootstrap over users) and, for pairs, p-values (paired t-test, Holm-corrected over the pairs for
        all users, and over pairs and groups for the groups).

    Raises:
        SettingsError: where protocols differ, no values per user are there, or no model or several have such a name.
    """
    require_one_protocol(results)
    named = merged(results)
    for name, result in named.items():
        if not {primary, "n_history"} <= {*result.per_unit.columns}:
            raise SettingsError(f"{name} has no {primary} and number of events per user, which groups by activity need")
    values = pd.DataFrame({name: result.per_unit[primary] for name, result in named.items()}).dropna()
    values = pd.DataFrame(values[values.mean().sort_values(ascending=False, kind="stable").index])
    chosen = [(named_model(one, list(named)), named_model(other, list(named))) for one, other in pairs]
    if not pairs:
        reference = named_model(against, list(named)) if against else str(values.columns[0])
        chosen = [(name, reference) for name in named if name != reference]
    active = next(iter(named.values())).per_unit.n_history.loc[values.index].to_numpy()
    everybody = Groups(np.zeros(len(values), dtype=int), [""], [len(values)])
    parts = [_columns(values, primary, chosen, grouped) for grouped in (everybody, groups(active, n_groups))]
    return _about(pd.concat(parts, axis="columns"), values, chosen, next(iter(named.values())).stage)


def _columns(values: pd.DataFrame, primary: str, pairs: Pairs, grouped: Groups) -> pd.DataFrame:
    """Value, low, high and p of each group; a row per model, then per pair."""
    series = {f"{place}": values[name].to_numpy() for place, name in enumerate(values)}
    series |= {f"pair {place}": (values[one] - values[other]).to_numpy() for place, (one, other) in enumerate(pairs)}
    estimates = by_group(series, grouped)
    p_values = np.full((len(series), len(grouped.names)), np.nan)
    inside = [pd.DataFrame(values[grouped.of == group]) for group in range(len(grouped.names))]
    tests = [[paired_test(part.loc[:, one], part.loc[:, other]) for part in inside] for one, other in pairs]
    p_values[values.shape[1] :] = holm(np.array(tests).ravel()).reshape(len(pairs), -1)
    columns: dict[str, np.ndarray] = {}
    for group, (name, size) in enumerate(zip(grouped.names, grouped.sizes, strict=True)):
        column = key(f"{name} events ({size:,} users)" if name else "", primary)
        part = pd.DataFrame(estimates[estimates.group == group])
        columns[column] = part["mean"].to_numpy()
        columns |= {f"{column}_{end}": part[end].to_numpy() for end in ("low", "high")}
        columns[f"{column}_p"] = p_values[:, group]
    return pd.DataFrame(columns)


def _about(table: pd.DataFrame, values: pd.DataFrame, pairs: Pairs, stage: str) -> pd.DataFrame:
    """The same with names and what ``comparison`` says beside the metrics."""
    table.insert(0, "against", [None] * values.shape[1] + [other for _, other in pairs])
    about = {"seeds": 1, "primary_seed_sd": np.nan, "units": len(values), "unit": "users", "stage": stage}
    table = table.assign(**about, test="paired t-test", p_best=np.nan, p_baseline=np.nan)
    return table.set_index(pd.Index([*map(str, values), *(one for one, _ in pairs)], name="model"))
