"""How far candidate and champion differ in a metric, and whether the difference is significant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.names import label, lower_is_better
from omniretail.metrics.significance import holm
from omniretail.report.tables.activity_groups import groups
from omniretail.report.tables.comparison import p_against
from omniretail.result import Result

_ACTIVITY = "n_history"


@dataclass(frozen=True)
class Difference:
    """One metric of both models.

    Attributes:
        metric: its label, with the group that it is measured on.
        champion: its value.
        candidate: its value.
        p: two-sided, paired over units.
        lower_is_better: as of a loss.
    """

    metric: str
    champion: float
    candidate: float
    p: float
    lower_is_better: bool = False

    @property
    def gain(self) -> float:
        """How much better the candidate is; negative where it is worse."""
        gain = self.candidate - self.champion
        return -gain if self.lower_is_better else gain


def difference(candidate: Result, champion: Result, metric: str) -> Difference:
    """One metric of two results of one protocol, tested as in ``report.tables.comparison``.

    The means of a metric with values per unit are over the units for which both have one.

    Args:
        candidate: evaluated as the champion was.
        champion: the model that serves.
        metric: key.

    Raises:
        SettingsError: where one of them lacks the metric, or nothing is recorded to test it with.
    """
    for result in (candidate, champion):
        if metric not in result.values():
            raise SettingsError(f"{result.model} was not evaluated by {metric}; it has {', '.join(result.values())}")
    if not _is_testable(candidate, champion, metric):
        testable = [name for name in champion.values() if _is_testable(candidate, champion, name)]
        raise SettingsError(
            f"{metric} has no values per unit and no resamples to test; choose from {', '.join(testable)}"
        )
    p = p_against("champion", metric, {"champion": champion, "candidate": candidate}).to_dict()["candidate"]
    return Difference(label(metric), *_values(candidate, champion, metric), float(p), lower_is_better(metric))


def guarded(candidate: Result, champion: Result, patterns: Sequence[str]) -> list[Difference]:
    """The metrics that must not get worse.

    Args:
        candidate: evaluated as the champion was.
        champion: the model that serves.
        patterns: keys, or patterns of keys; a pattern stands for those of the champion's metrics that can be tested.

    Raises:
        SettingsError: where a key names no metric that can be tested.
    """
    values = champion.values()
    keys = [pattern for pattern in patterns if not _is_pattern(pattern)]
    for pattern in filter(_is_pattern, patterns):
        matches = [key for key in values if fnmatchcase(key, pattern) and np.isfinite(values[key])]
        keys += [key for key in matches if _is_testable(candidate, champion, key)]
    return [difference(candidate, champion, key) for key in dict.fromkeys(keys)]


def by_activity(candidate: Result, champion: Result, metric: str, n_groups: int) -> list[Difference]:
    """A metric in groups of users by their number of events before the cutoff.

    Args:
        candidate: evaluated as the champion was.
        champion: the model that serves.
        metric: key of a metric with values per unit.
        n_groups: of about equal size.

    Raises:
        SettingsError: where the results hold no activity of users, or no values of the metric per user.
    """
    for column in (metric, _ACTIVITY):
        if column not in candidate.per_unit or column not in champion.per_unit:
            raise SettingsError(
                f"the results of task {candidate.task} hold no {column} per unit, so there are no groups by activity; "
                f"set gate.guards.{candidate.task}.activity_groups=0"
            )
    grouped = groups(candidate.per_unit[_ACTIVITY].to_numpy(), n_groups)
    differences = []
    for number, name in enumerate(grouped.names):
        users = candidate.per_unit.index[grouped.of == number]
        inside, other = (replace(result, per_unit=result.per_unit.loc[users]) for result in (candidate, champion))
        of_group = difference(inside, other, metric)
        differences.append(replace(of_group, metric=f"{label(metric)} of users with {name} events before"))
    return differences


def adjusted(differences: Sequence[Difference]) -> list[Difference]:
    """With p-values adjusted for the number of comparisons (Holm)."""
    p_values = holm(np.array([each.p for each in differences]))
    return [replace(each, p=float(p)) for each, p in zip(differences, p_values, strict=True)]


def _values(candidate: Result, champion: Result, metric: str) -> tuple[float, float]:
    """Of champion and candidate."""
    if metric in candidate.per_unit and metric in champion.per_unit:
        pairs = pd.DataFrame({"before": champion.per_unit[metric], "after": candidate.per_unit[metric]}).dropna()
        return float(pairs.before.mean()), float(pairs.after.mean())
    return champion.value(metric), candidate.value(metric)


def _is_testable(candidate: Result, champion: Result, metric: str) -> bool:
    both = ((candidate.per_unit, champion.per_unit), (candidate.resampled, champion.resampled))
    return any(metric in one and metric in other for one, other in both)


def _is_pattern(text: str) -> bool:
    return any(mark in text for mark in "*?[")
