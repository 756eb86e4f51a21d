"""Results made comparable: one protocol, one name each, seeds averaged."""

from collections.abc import Sequence

import pandas as pd

from omniretail.result import Result

PROTOCOL = ("source", "data", "split", "stage", "policy")
"""Settings that must agree before two results may stand in one table."""


def require_one_protocol(results: Sequence[Result]) -> None:
    """Refuse to compare what was judged differently.

    Raises:
        ValueError: naming every setting that differs, its values and whose they are; or that there are no results.
    """
    if not results:
        raise ValueError("there are no results to compare")
    differing = [_values(results, key) for key in PROTOCOL if len({_setting(r, key) for r in results}) > 1]
    if differing:
        raise ValueError(
            f"results judged under different protocols cannot be compared; {'; '.join(differing)}. "
            "Compare runs of one protocol, or run the others again"
        )


def by_name(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results under the names they bear in tables and plots, in the order given.

    Runs of one model that differ in nothing but their seed share a name. Other runs of the same model are told apart by
    the hyper-parameters in which they differ; where there are none, by the start of their run id, or by their place.

    Raises:
        ValueError: where a run is given twice.
    """
    families: dict[tuple, list[Result]] = {}
    for result in results:
        families.setdefault((result.model, tuple(sorted(_without_seed(result).items()))), []).append(result)
    groups = [group for family in families.values() for group in _seeds_apart(family)]
    named: dict[str, list[Result]] = {}
    for number, group in enumerate(groups, start=1):
        first = group[0]
        rivals = [other[0] for other in groups if other[0].model == first.model]
        name = next((name for name in _names(first, rivals, number) if name not in named), None)
        if name is None:
            raise ValueError(f"the run {first.run_id} of {first.model} is given twice")
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
    settings = [set(rival.settings.get("parameters", "").split()) for rival in rivals]
    common = set.intersection(*settings)
    return " ".join(word for word in result.settings.get("parameters", "").split() if word not in common)


def merged(results: Sequence[Result]) -> dict[str, Result]:
    """One result per name, seeds averaged."""
    return {name: averaged(name, group) for name, group in by_name(results).items()}


def averaged(name: str, group: Sequence[Result]) -> Result:
    """One result for several seeds: values averaged per user, costs averaged, the highest memory."""
    first = group[0]
    return Result(
        model=name,
        stage=first.stage,
        per_user=pd.concat([r.per_user for r in group]).groupby(level=0).agg("mean"),
        overall=pd.DataFrame([r.overall for r in group]).mean().to_dict(),
        fit_s=sum(r.fit_s for r in group) / len(group),
        score_s=sum(r.score_s for r in group) / len(group),
        peak_memory_mb=max(r.peak_memory_mb for r in group),
        run_id=first.run_id if len(group) == 1 else "",
        settings=_without_seed(first),
    )


def _seeds_apart(family: list[Result]) -> list[list[Result]]:
    """One group where every run has a seed of its own; else the runs are repetitions and stand alone."""
    seeds = {r.settings.get("seed") for r in family}
    return [family] if len(seeds) == len(family) else [[r] for r in family]


def _without_seed(result: Result) -> dict[str, str]:
    return {key: value for key, value in result.settings.items() if key != "seed"}


def _setting(result: Result, key: str) -> str:
    return result.stage if key == "stage" else result.settings.get(key, "")


def _values(results: Sequence[Result], key: str) -> str:
    models: dict[str, list[str]] = {}
    for result in results:
        models.setdefault(_setting(result, key), []).append(result.model)
    return f"{key}: " + " against ".join(f"{value!r} ({', '.join(names)})" for value, names in models.items())
