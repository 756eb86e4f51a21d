"""Fit, score, rank, judge: one model on one fold."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from omniretail.core.resources import metered
from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.popular import Popular
from omniretail.models.top_k import Policy, recommend
from omniretail.policies.protocol import fitted
from omniretail.recommendation.constraint_effect import ConstraintEffect
from omniretail.result import Result
from omniretail.splits.cutoff import Stage
from omniretail.views.fold import Fold

log = logging.getLogger(__name__)


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
        (policy,) = fitted([self.policy], fold.train)
        k = max(self.metrics.ks)
        watched = ConstraintEffect(policy, k) if hasattr(policy, "decide") else None
        with metered() as scoring:
            ranked, _ = recommend(model, fold.users, k, watched or policy, fallback, self.memory_mb)
        per_user, overall = evaluate_lists(ranked, fold, self.metrics)
        if watched is not None:
            per_user, overall = self._with_what_changed(per_user, overall, watched, fold)
        return Result(
            model=getattr(model, "label", type(model).__name__),
            stage=stage,
            per_user=per_user,
            overall=overall,
            fit_s=fitting.seconds,
            score_s=scoring.seconds,
            peak_memory_mb=max(fitting.peak_memory_mb, scoring.peak_memory_mb),
            settings={**self.settings, "stage": stage, **({"policy": str(policy)} if watched else {})},
        )

    def _with_what_changed(
        self, per_user: pd.DataFrame, overall: dict[str, float], watched: ConstraintEffect, fold: Fold
    ) -> tuple[pd.DataFrame, dict[str, float]]:
        """The figures, with those of the unconstrained lists and what constraints cost beside them."""
        free, _ = evaluate_lists(watched.unconstrained(), fold, self.metrics)
        metric = self.metrics.primary.rpartition("_at_")[0]
        changed = watched.per_user(self.metrics.ks, per_user, free, metric)
        counts = watched.counts()
        for name, n in counts.items():
            if n:
                log.warning("policy: %s of %s judged: %s", f"{n:,}", f"{len(per_user):,}", name.replace("_", " "))
        return per_user.join(changed), overall | counts
