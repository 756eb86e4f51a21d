"""The recommendation task: which items will this customer want next? All items are ranked, never a sample."""

import logging
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import pandas as pd

from omniretail.core.checks import one_of
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.popular import newcomer_scores
from omniretail.models.top_k import recommend
from omniretail.policies.chain import Decides
from omniretail.policies.protocol import described, fitted
from omniretail.recommendation.constraint_effect import ConstraintEffect
from omniretail.recommendation.examples import example_lists
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, seed_of
from omniretail.views.fold import Catalogue, Fold

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recommendation:
    """Rank the catalogue for every user of the window, and hold the lists against what they took.

    Attributes:
        metrics: what is measured.
        policy: what may be shown.
        memory_mb: bound on one batch of scores, MiB.
        catalogue: ``sold``: items with events before the cutoff are ranked; ``listed``: those of the item table that
            nobody has taken yet, too.
    """

    metrics: Metrics = field(metadata=NOT_PROTOCOL)
    policy: Any
    memory_mb: int = field(default=256, metadata=NOT_PROTOCOL)
    catalogue: Catalogue = field(default="sold", metadata=NOT_PROTOCOL)  # named where it is not the default

    def __post_init__(self) -> None:
        one_of(self, "catalogue", get_args(Catalogue))

    def evaluate(self, model: Recommender, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model and evaluate its lists; see ``Task``.

        Users without any history get what is popular (``newcomer_scores``). A policy that constrains lists is evaluated
        with it: how much of the lists is feasible, and what the constraints cost.

        Raises:
            DataError: where the split leaves nothing to learn from or to judge.
            SettingsError: where lists are longer than the catalogue, or scores are not finite.
        """
        fold = data.fold(stage, self.catalogue)
        with metered() as fitting:
            model.fit(fold.train)
        fallback = newcomer_scores(model, fold.train)
        (policy,) = fitted([self.policy], fold.train)
        k = max(self.metrics.ks)
        effect = ConstraintEffect(policy, k) if isinstance(policy, Decides) else None
        with metered() as scoring:
            ranked, _ = recommend(model, fold.users, k, effect or policy, fallback, self.memory_mb)
        per_user, overall, counts = evaluate_lists(ranked, fold, self.metrics)
        if effect is not None:
            per_user, counts = self._with_constraint_effect(per_user, counts, effect, fold)
        result = Result(
            model=model_name(model),
            stage=stage,
            per_unit=per_user,
            metrics=_metrics(per_user, overall),
            protocol=protocol_of(self, "recommendation", data, stage, **self._named(policy)),
            parameters=parameters_of(model),
            counts=counts,
            cost=costs(fit=fitting, score=scoring),
            seed=seed_of(model),
        )
        bundle = {"model": model, "policy": policy, "train": fold.train}
        return Evaluation(result, bundle=bundle, tables={"examples": example_lists(ranked, fold)}, model=model)

    def _named(self, policy: Any) -> dict[str, str]:
        return {"policy": described(policy)} | ({} if self.catalogue == "sold" else {"catalogue": self.catalogue})

    def _with_constraint_effect(
        self, per_user: pd.DataFrame, counts: dict[str, float], effect: ConstraintEffect, fold: Fold
    ) -> tuple[pd.DataFrame, dict[str, float]]:
        """The metrics, with those of the unconstrained lists and what the constraints cost beside them."""
        free, _, _ = evaluate_lists(effect.unconstrained(), fold, self.metrics)
        metric = self.metrics.primary.rpartition("_at_")[0]
        for name, n in effect.counts().items():
            if n:
                log.warning("policy: %s of %s judged: %s", f"{n:,}", f"{len(per_user):,}", name.replace("_", " "))
        changed = effect.per_user(self.metrics.ks, per_user, free, metric)
        return per_user.join(changed), counts | effect.counts()


def _metrics(per_user: pd.DataFrame, overall: dict[str, float]) -> pd.DataFrame:
    means = per_user.drop(columns="n_history").mean()
    return metric_rows({str(name): float(value) for name, value in means.items() if np.isfinite(value)} | overall)
