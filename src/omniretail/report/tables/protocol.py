"""Results made comparable: one protocol, one name each, seeds averaged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.result import METRIC_COLUMNS, Result

NAMES = {
    "source": "Source",
    "data": "Data version",
    "split": "Split",
    "stage": "Stage",
    "policy": "Policy",
    "task": "Task",
}
"""Settings of the protocol that every task has, in the order in which people read them."""


def require_one_protocol(results: Sequence[Result]) -> None:
    """Refuse to compare what was judged differently.

    Raises:
        SettingsError: naming every setting that differs, its values and whose they are; or that there are no results.
    """
    if not results:
        raise SettingsError("there are no results to compare")
    settings = list(dict.fromkeys(name for result in results for name in result.protocol))
    differing = [_values(results, name) for name in settings if len({r.protocol.get(name, "") for r in results}) > 1]
    if differing:
        raise SettingsError(
            f"results judged under different protocols cannot be compared; {'; '.join(differing)}. "
            "Compare runs of one protocol, or run the others again"
        )


def differing_settings(protocols: Sequence[Mapping[str, str]]) -> list[str]:
    """Of each protocol the settings in which not all are equal; empty where there is one.

    >>> differing_settings([{"split": "temporal", "data": "1f"}, {"split": "temporal", "data": "2a"}])
    ['data=1f', 'data=2a']
    """
    names = list(dict.fromkeys(name for protocol in protocols for name in protocol))
    differing = [name for name in names if len({protocol.get(name, "") for protocol in protocols}) > 1]
    return [", ".join(f"{name}={protocol.get(name, '')}" for name in differing) for protocol in protocols]


def by_name(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results under the names they bear in tables and plots, in the order of the results.

    Runs of one model that differ in nothing but their seed share a name. Other runs of the same model are named by the
    hyper-parameters in which they differ; where there are none, by the start of their run id, or by their place.

    Raises:
        SettingsError: where a run is there twice.
    """
    families: dict[tuple, list[Result]] = {}
    for result in results:
        families.setdefault((result.model, result.parameters), []).append(result)
    groups = [group for family in families.values() for group in _split_by_seed(family)]
    named: dict[str, list[Result]] = {}
    for number, group in enumerate(groups, start=1):
        first = group[0]
        rivals = [other[0] for other in groups if other[0].model == first.model]
        name = next((name for name in _names(first, rivals, number) if name not in named), None)
        if name is None:
            raise SettingsError(f"the run {first.run_id} of {first.model} is there twice")
        named[name] = group
    return named


def _names(result: Result, rivals: Sequence[Result], number: int) -> list[str]:
    """Names that could tell the result from other runs of its model, the most telling first."""
    if len(rivals) == 1:
        return [result.model]
    marks = [_difference(result, rivals), result.run_id[:8] or f"#{number}"]
    return [f"{result.model} {mark}" for mark in marks if mark]


def _difference(result: Result, rivals: Sequence[Result]) -> str:
    """The hyper-parameters that not all runs of the model share, e.g. ``l2=500``."""
    common = set.intersection(*(set(rival.parameters.split()) for rival in rivals))
    return " ".join(setting for setting in result.parameters.split() if setting not in common)


def merged(results: Sequence[Result]) -> dict[str, Result]:
    """One result per name, seeds averaged."""
    return {name: averaged(name, group) for name, group in by_name(results).items()}


def named_model(wanted: str, names: Sequence[str]) -> str:
    """The one name that is the wanted one, or starts with it.

    Raises:
        SettingsError: where there is none or more than one, listing the names.

    >>> named_model("EASE l2", ["EASE l2=100", "EASE l2=250", "Popular"])
    Traceback (most recent call last):
    omniretail.core.errors.SettingsError: 'EASE l2' could be EASE l2=100 or EASE l2=250; write more of the name
    """
    matches = [name for name in names if name == wanted] or [name for name in names if name.startswith(wanted)]
    if len(matches) > 1:
        raise SettingsError(f"{wanted!r} could be {' or '.join(matches)}; write more of the name")
    if not matches:
        raise SettingsError(f"{wanted!r} is not among the models compared, which are {', '.join(names)}")
    return matches[0]


def averaged(name: str, group: Sequence[Result]) -> Result:
    """One result for several seeds: values averaged per unit, metrics and costs averaged, the highest memory."""
    first = group[0]
    if len(group) == 1:
        return replace(first, model=name)
    unit = list(range(first.per_unit.index.nlevels))
    costs = pd.DataFrame([dict(each.cost) for each in group])
    metrics = pd.concat([each.metrics for each in group]).groupby(["metric", "group"], sort=False)
    return replace(
        first,
        model=name,
        per_unit=pd.concat([each.per_unit for each in group]).groupby(level=unit).mean(numeric_only=True),
        metrics=metrics.agg("mean").reset_index()[METRIC_COLUMNS],
        resampled=sum((each.resampled for each in group[1:]), first.resampled) / len(group),
        cost=costs.mean().to_dict() | {name: costs[name].max() for name in costs if name == "peak_memory_mb"},
        run_id="",
    )


def _split_by_seed(family: list[Result]) -> list[list[Result]]:
    """One group where every run has a seed of its own; else the runs are repetitions and stand alone."""
    seeds = {result.seed for result in family}
    return [family] if len(seeds) == len(family) else [[r] for r in family]


def _values(results: Sequence[Result], setting: str) -> str:
    models: dict[str, list[str]] = {}
    for result in results:
        models.setdefault(result.protocol.get(setting, ""), []).append(result.model)
    return f"{setting}: " + " against ".join(f"{value!r} ({', '.join(names)})" for value, names in models.items())
