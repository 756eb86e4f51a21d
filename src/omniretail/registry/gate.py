"""The gate: what a version must show before it becomes the champion."""

from collections.abc import Sequence
from dataclasses import dataclass

from omniretail.o2o.offers.figures import OfferResult
from omniretail.profile.probing.figures import ProbeResult
from omniretail.registry import gate_checks as checks
from omniretail.registry.gate_checks import AnyResult, Check
from omniretail.registry.gate_tests import Differences, of_embeddings, of_lists, of_offers
from omniretail.result import Result


@dataclass(frozen=True)
class Contender:
    """A version, as the gate sees it.

    Attributes:
        version: of the registered model.
        result: of its training run, on test.
        latency_ms: p99 of a single request, measured when it was registered; None where it was not.
    """

    version: str
    result: AnyResult
    latency_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Whoever beats the champion and breaks no guard may pass.

    Args:
        primary: what recommenders are compared by: a metric with a value per user.
        offer_primary: likewise response models: ``auc``, ``auc_per_offer`` or ``average_precision``.
        profile_primary: likewise profile encoders: a probe's question, or ``mean`` of them all.
        alpha: the candidate must be better with a smaller p-value; a guarded figure is broken where it is worse with a
            smaller one.
        coverage: a recommender's figure of all lists together that is guarded; None for no such guard.
        min_coverage_share: the candidate must reach this share of the champion's.
        max_latency_ms: bound on the p99 of a single request, milliseconds; None for no bound.
        max_latency_ratio: bound on it as a multiple of the champion's; None for no bound.
        groups: customers in so many groups by events before the cutoff: none may be served worse (recommenders), nor
            may any offer (response models, where this is not 0); 0 for no such guard. Each question of a profile
            encoder, and the log loss of a response model, is always guarded.
        kept: further metrics of a recommender that must not get worse, such as ``new_ndcg_at_10``.

    Raises:
        ValueError: where a number is out of its range.
    """

    primary: str = "ndcg_at_10"
    offer_primary: str = "auc"
    profile_primary: str = "mean"
    alpha: float = 0.05
    coverage: str | None = "coverage_at_10"
    min_coverage_share: float = 0.9
    max_latency_ms: float | None = 100.0
    max_latency_ratio: float | None = 2.0
    groups: int = 5
    kept: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError(f"gate.alpha lies between 0 and 1, not at {self.alpha}")
        for name in ("min_coverage_share", "max_latency_ms", "max_latency_ratio", "groups"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"gate.{name} is not negative, as {value} is")

    def decide(self, candidate: Contender, champion: Contender | None) -> list[Check]:
        """All checks; figures are compared only where both were judged alike.

        Args:
            candidate: who wants to pass.
            champion: who serves; the first version has none, and only the guards that need none are asked.

        Raises:
            ValueError: where a figure that is asked for was not measured.
        """
        found = [] if self.max_latency_ms is None else [checks.latency(candidate.latency_ms, self.max_latency_ms)]
        if champion is None:
            return found
        alike = checks.same_trial(candidate.result, champion.result)
        compared = [] if checks.failed(alike) else self._compared(candidate.result, champion.result)
        return [*alike, *compared, *found, *self._latency_beside(candidate, champion)]

    def _compared(self, candidate: AnyResult, champion: AnyResult) -> list[Check]:
        differences = self._differences(candidate, champion)
        found = [checks.beats(differences.primary, self.alpha)]
        if isinstance(candidate, Result) and isinstance(champion, Result) and self.coverage is not None:
            found.append(checks.coverage(candidate, champion, self.coverage, self.min_coverage_share))
        return found + [checks.not_worse(each, self.alpha) for each in differences.guarded]

    def _differences(self, candidate: AnyResult, champion: AnyResult) -> Differences:
        if isinstance(candidate, Result) and isinstance(champion, Result):
            return of_lists(candidate, champion, self.primary, self.groups, self.kept)
        if isinstance(candidate, OfferResult) and isinstance(champion, OfferResult):
            return of_offers(candidate, champion, self.offer_primary, by_offer=self.groups > 0)
        assert isinstance(candidate, ProbeResult)
        assert isinstance(champion, ProbeResult)
        return of_embeddings(candidate, champion, self.profile_primary)

    def _latency_beside(self, candidate: Contender, champion: Contender) -> list[Check]:
        mine, present, times = candidate.latency_ms, champion.latency_ms, self.max_latency_ratio
        if mine is None or present is None or times is None:
            return []
        return [checks.latency_ratio(mine, present, times)]
