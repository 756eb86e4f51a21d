"""What a version must show before it serves: each check says what was measured and what is required."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.names import in_a_sentence, label
from omniretail.registry.gate_differences import Difference
from omniretail.registry.latency import Latency
from omniretail.report.tables.format import amount, figure, probability
from omniretail.result import Result

_STAND_IN = "train the champion's settings on the candidate's data and protocol, and name that run: against=<run_id>"


@dataclass(frozen=True)
class Check:
    """One requirement.

    Attributes:
        name: what is checked.
        measured: the candidate's value, in words.
        required: in words.
        passed: whether the requirement is met.
        way_out: what to do where it is not; not recorded.
    """

    name: str
    measured: str
    required: str
    passed: bool
    way_out: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name}: {self.measured} (required: {self.required})"


def failed(checks: Sequence[Check]) -> list[Check]:
    """Those that were not passed."""
    return [check for check in checks if not check.passed]


def same_settings(stand_in: Result, champion: Result) -> Check:
    """Whether a run on other data trained the champion's model with the champion's settings."""
    candidate, present = (f"{each.model} {each.parameters}".strip() for each in (stand_in, champion))
    return Check(
        "replaces the champion's run",
        f"run {stand_in.run_id} of {candidate}",
        f"a run of {present}",
        candidate == present,
        "train the champion's model with the champion's settings and name that run",
    )


def same_evaluation(candidate: Result, champion: Result) -> list[Check]:
    """Whether the two were evaluated alike: task, data, every setting of the protocol, and the very same units."""
    checks = [_same_task(candidate, champion), _same_data(candidate, champion), _same_protocol(candidate, champion)]
    return [*checks, _same_units(candidate, champion)] if checks[0].passed else checks


def better(difference: Difference, alpha: float) -> Check:
    """Whether the candidate is significantly better than the champion."""
    passed = difference.gain > 0 and difference.p < alpha
    required = f"{'lower' if difference.lower_is_better else 'higher'} with p < {alpha:g}"
    name = f"beats the champion in {in_a_sentence(difference.metric)}"
    way_out = "choose another candidate on validation; gate.primary=<metric> and gate.alpha=<level> decide otherwise"
    return Check(name, _described(difference), required, passed, way_out)


def not_worse(difference: Difference, alpha: float) -> Check:
    """Whether the candidate is not significantly worse than the champion."""
    passed = difference.gain >= 0 or difference.p >= alpha  # a value that is missing does not pass
    required = f"not {'higher' if difference.lower_is_better else 'lower'} with p < {alpha:g}"
    return Check(difference.metric, _described(difference), required, passed)


def share_of_champion(candidate: Result, champion: Result, metric: str, share: float) -> Check:
    """Whether a metric of all units together, such as coverage, reaches a share of the champion's.

    Raises:
        SettingsError: where one of them lacks the metric.
    """
    for result in (candidate, champion):
        if metric not in result.values():
            raise SettingsError(
                f"{result.model} was not evaluated by {metric}, which gate.guards.{result.task}.min_share names; "
                f"it has {', '.join(result.values())}"
            )
    value, present = candidate.value(metric), champion.value(metric)
    measured = f"{figure(value)} against the champion's {figure(present)}"
    return Check(label(metric), measured, f"at least {100 * share:g} % of the champion's", value >= share * present)


def latency(measured: Latency, bound_ms: float) -> Check:
    """Whether a single request is answered within a bound."""
    words = measured.failure or f"{amount(measured.p99)} ms"
    way_out = "gate.max_latency_ms=null leaves this check out"
    return Check("p99 latency", words, f"at most {bound_ms:g} ms", measured.p99 <= bound_ms, way_out)


def latency_ratio(measured: Latency, times: float) -> Check:
    """Whether single requests are answered about as fast as by the champion, in alternation."""
    present = float("nan") if measured.champion_median is None else measured.champion_median
    words = measured.failure or f"{amount(measured.median)} ms against {amount(present)} ms, medians"
    passed = measured.median <= times * present
    way_out = "gate.max_latency_ratio=null leaves this check out; a number allows so many times the champion's"
    return Check("latency beside the champion's", words, f"at most {times:g} times", passed, way_out)


def _same_task(candidate: Result, champion: Result) -> Check:
    passed = candidate.task == champion.task
    way_out = "register models of another task under a name of their own"
    return Check("same task", candidate.task, f"{champion.task}, as the champion", passed, way_out)


def _same_data(candidate: Result, champion: Result) -> Check:
    version, present = (result.protocol.get("data", "unknown") for result in (candidate, champion))
    required = f"version {present}, as the champion"
    return Check("same data", f"version {version}", required, version == present, _STAND_IN)


def _same_protocol(candidate: Result, champion: Result) -> Check:
    settings, present = _protocol(candidate), _protocol(champion)
    names = list(dict.fromkeys((*settings, *present)))
    differing = [name for name in names if settings.get(name, "") != present.get(name, "")]
    measured, required = (
        ", ".join(f"{name} {each.get(name, '')}".strip() for name in differing or names) for each in (settings, present)
    )
    passed = not differing
    required = "as the champion" if passed else f"{required}, as the champion"
    return Check("same protocol", measured, required, passed, _STAND_IN)


def _protocol(result: Result) -> Mapping[str, str]:
    """Every setting of the protocol but those with a check of their own."""
    return {"stage": result.stage, **{k: v for k, v in result.protocol.items() if k not in ("task", "data")}}


def _same_units(candidate: Result, champion: Result) -> Check:
    units, present = _counts(candidate), _counts(champion)
    others = int((units.sub(present, fill_value=0)).clip(lower=0).sum())
    measured = f"{units.sum():,} evaluated" + (f", {others:,} of them not among the champion's" if others else "")
    return Check("same units", measured, f"the champion's {present.sum():,}", units.equals(present), _STAND_IN)


def _counts(result: Result) -> pd.Series:
    """How often each unit was evaluated."""
    return result.per_unit.index.value_counts().sort_index()


def _described(difference: Difference) -> str:
    values = f"{figure(difference.candidate)} against {figure(difference.champion)}"
    return f"{values}, p {probability(difference.p)}"
