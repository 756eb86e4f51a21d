"""The gate: what a version must show before it becomes the champion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from omniretail.core.errors import SettingsError
from omniretail.registry import gate_checks as checks
from omniretail.registry.gate_checks import Check
from omniretail.registry.gate_differences import adjusted, by_activity, difference, guarded
from omniretail.registry.latency import Latency
from omniretail.result import Result


@dataclass(frozen=True)
class Contender:
    """A version, as the gate sees it.

    Attributes:
        version: of the registered model.
        result: of its training run, on test.
        primary: key of the metric that the run's task compares models by.
    """

    version: str
    result: Result
    primary: str


@dataclass(frozen=True, kw_only=True)
class Guards:
    """What must not get worse for models of one task.

    Attributes:
        metrics: keys or patterns of keys; none of them may be significantly worse.
        activity_groups: users in so many groups by their events before the cutoff; in none may the primary metric be
            significantly worse. 0: no such guard.
        min_share: metric of all units together -> the share of the champion's value that it must reach.
    """

    metrics: Sequence[str] = ()
    activity_groups: int = 0
    min_share: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.activity_groups < 0:
            raise SettingsError(f"gate.guards: activity_groups={self.activity_groups} must not be negative")
        for metric, share in self.min_share.items():
            if share < 0:
                raise SettingsError(f"gate.guards: min_share of {metric} must not be negative, as {share} is")


def default_guards() -> dict[str, Guards]:
    """By task; equal to ``configs/registry/gate/default.yaml``."""
    return {
        "recommendation": Guards(activity_groups=5, min_share={"coverage_at_10": 0.9}),
        "response": Guards(metrics=["log_loss", "*/auc"]),
        "cross_fitted_response": Guards(metrics=["log_loss", "average_precision"]),
        "uplift": Guards(metrics=["auuc", "*/log_loss"]),
        "probing": Guards(metrics=["*/auc", "*/spearman"]),
    }


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A candidate passes that beats the champion significantly and violates no guard.

    Attributes:
        primary: key of the metric in which the candidate must be better; None: the one by which the champion's run
            compares models (``report.primary``).
        alpha: significance level of all tests; p-values of guards are adjusted for their number (Holm).
        guards: by name of the task.
        max_latency_ms: bound on the p99 of a single request, milliseconds; None: no bound.
        max_latency_ratio: bound on the median time of single requests, as a multiple of the champion's; None: no bound.

    Raises:
        SettingsError: where a number is out of its range.
    """

    primary: str | None = None
    alpha: float = 0.05
    guards: Mapping[str, Guards] = field(default_factory=default_guards)
    max_latency_ms: float | None = None
    max_latency_ratio: float | None = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise SettingsError(f"gate.alpha={self.alpha} must lie between 0 and 1")
        for name in ("max_latency_ms", "max_latency_ratio"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise SettingsError(f"gate.{name}={value} must not be negative")

    def decide(self, candidate: Contender, champion: Contender | None, latency: Latency) -> list[Check]:
        """All checks; metrics are compared only where both models were evaluated alike.

        Args:
            candidate: the version to be promoted.
            champion: the version that serves; None for the first version, of which only the latency is checked.
            latency: of the candidate, and of the champion beside it.

        Raises:
            SettingsError: where a metric of the gate was not measured.
        """
        bound = [] if self.max_latency_ms is None else [checks.latency(latency, self.max_latency_ms)]
        if champion is None:
            return bound
        alike = checks.same_evaluation(candidate.result, champion.result)
        compared = [] if checks.failed(alike) else self._compared(candidate.result, champion)
        ratio = [] if self.max_latency_ratio is None else [checks.latency_ratio(latency, self.max_latency_ratio)]
        return [*alike, *compared, *bound, *ratio]

    def needs_latency(self, has_champion: bool) -> bool:
        """Whether a check needs times to be measured."""
        return self.max_latency_ms is not None or (has_champion and self.max_latency_ratio is not None)

    def _compared(self, candidate: Result, champion: Contender) -> list[Check]:
        primary, present = self.primary or champion.primary, champion.result
        guards, task = self.guards.get(candidate.task, Guards()), f"gate.guards.{candidate.task}"
        own = checks.better(difference(candidate, present, primary), self.alpha)
        named = [(each, f"'{task}.metrics=[]'") for each in guarded(candidate, present, guards.metrics)]
        if guards.activity_groups:
            groups = by_activity(candidate, present, primary, guards.activity_groups)
            named += [(each, f"{task}.activity_groups=0") for each in groups]
        differences = adjusted([each for each, _ in named])
        shares = [
            (checks.share_of_champion(candidate, present, metric, share), f"{task}.min_share.{metric}=0")
            for metric, share in guards.min_share.items()
        ]
        return [
            own,
            *(replace(each, way_out=f"{setting} leaves this check out") for each, setting in shares),
            *(
                replace(checks.not_worse(each, self.alpha), way_out=f"{setting} leaves this check out")
                for each, (_, setting) in zip(differences, named, strict=True)
            ),
        ]
