"""Fit, score, rank, judge: one model on one fold."""

from collections.abc import Mapping
from dataclasses import dataclass

from omniretail.metering import metered
from omniretail.metrics.judge import Metrics, judge
from omniretail.models.protocols import Recommender
from omniretail.models.recommend import Policy, recommend
from omniretail.models.recommenders.popular import Popular
from omniretail.result import Result
from omniretail.splits.cutoff import Stage
from omniretail.views.fold import Fold


@dataclass(frozen=True)
class Examination:
    """How every model of a comparison is examined.

    Attributes:
        metrics: what is measured.
        policy: what may be shown.
        memory_mb: bound on one batch of scores, MiB.
        settings: the protocol in words (source, split, data version, …); models are comparable where these are equal.
    """

    metrics: Metrics
    policy: Policy
    memory_mb: int
    settings: Mapping[str, str]

    def take(self, model: Recommender, fold: Fold, stage: Stage) -> Result:
        """Fit the model on the fold and judge it there.

        Users without any history get the popular list, whatever the model.

        Raises:
            ValueError: where the lists asked for are longer than the catalogue, or scores are not finite.
        """
        with metered() as fitting:
            model.fit(fold.train)
        fallback = Popular().fit(fold.train).popularity_
        with metered() as scoring:
            k = max(self.metrics.ks)
            ranked, _ = recommend(model, fold.users, k, self.policy, fallback, self.memory_mb)
        per_user, overall = judge(ranked, fold, self.metrics)
        return Result(
            model=getattr(model, "label", type(model).__name__),
            stage=stage,
            per_user=per_user,
            overall=overall,
            fit_s=fitting.seconds,
            score_s=scoring.seconds,
            peak_memory_mb=max(fitting.peak_memory_mb, scoring.peak_memory_mb),
            settings={**self.settings, "stage": stage},
        )
