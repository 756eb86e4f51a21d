"""The uplift task: who buys because of the coupon? Learned from past campaigns, evaluated by the last one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.checks import require
from omniretail.core.errors import DataError
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.uplift.protocol import UpliftModel
from omniretail.o2o.uplift.cached import load_experiment
from omniretail.o2o.uplift.campaign_metrics import balance, coupons, measured, with_probabilities
from omniretail.o2o.uplift.experiment_rows import Experiment, campaigns
from omniretail.o2o.uplift.table_rows import SHARES, table_rows
from omniretail.result import Result
from omniretail.schema import Tables
from omniretail.splits.cutoff import Stage, require_stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of


@dataclass(frozen=True)
class CampaignFindings:
    """What the page shows.

    Attributes:
        learned: rows of earlier campaigns.
        judged: rows of the campaign that the ranking is for; N of them.
        score: of each row, the higher, the earlier a coupon is sent; shape (N,).
        coupons: see ``campaign_metrics.coupons``.
        result: the metrics.
    """

    learned: Experiment
    judged: Experiment
    score: np.ndarray
    coupons: pd.DataFrame
    result: Result


@dataclass(frozen=True)
class Uplift:
    """Rank customers by how much likelier a coupon makes a purchase.

    Test is the last campaign, validation the one before it; a model learns from those that were over when it began.

    Attributes:
        levels: columns of the item table whose values become features; no part of the protocol, since all models are
            evaluated on the same customers.
        reactions: whether features tell how customers reacted to earlier mailings and promotions, too; see
            ``reaction_features``.
        shares: of customers who get a coupon, for metrics at a share.
        n_resamples: behind intervals and tests.
        probabilities: the model also predicts P(buys | coupon), which is evaluated on those who were sent it, as the
            metrics of the group ``treated``.
    """

    levels: Sequence[str] = field(default=("category",), metadata=NOT_PROTOCOL)
    reactions: bool = field(default=False, metadata=NOT_PROTOCOL)
    shares: Sequence[float] = field(default=(0.1, 0.2, 0.3), metadata=NOT_PROTOCOL)
    n_resamples: int = 500
    probabilities: bool = field(default=False, metadata=NOT_PROTOCOL)

    def __post_init__(self) -> None:
        require(self, "shares", all(0 < share <= 1 for share in self.shares), "be shares above 0, at most 1")

    def evaluate(self, model: UpliftModel, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model on earlier campaigns and rank customers for a later one; see ``Task``.

        Raises:
            DataError: where the source has no campaigns, or none was over before the judged one began.
            SettingsError: where everybody was sent the coupon, or nobody.
        """
        methods = ["fit", "predict", *(["predict_proba"] if self.probabilities else [])]
        require_methods(model, methods, "uplift", example="uplift/lightgbm_t_learner")
        learned, judged, split = self._experiments(data, stage)
        with metered() as fitting:
            model.fit(learned.rows, learned.treated, learned.y)
        with metered() as scoring:
            score = model.predict(rows := judged.rows.reindex(columns=learned.rows.columns))
        result = Result(
            model=model_name(model),
            stage=stage,
            task="uplift",
            **self._measured(model, judged, rows, score),
            protocol=protocol_of(self, "uplift", data, stage, split=split),
            parameters=f"{parameters_of(model)} levels={','.join(self.levels)}{self._reactions()}".strip(),
            counts=_counts(learned, judged),
            cost=costs(fit=fitting, score=scoring),
            seed=seed_of(model),
        )
        of_coupons = coupons(judged, score, self.shares)
        return Evaluation(
            result,
            bundle={"model": model, "rows": learned.rows.reset_index(drop=True), "answers": self._answers()},
            tables={"coupons": of_coupons},
            findings=CampaignFindings(learned, judged, score, of_coupons, result),
            model=model,
        )

    def _experiments(self, data: Dataset, stage: Stage) -> tuple[Experiment, Experiment, str]:
        """Rows to learn from, rows to judge by, and how they were parted."""
        require_stage(stage)
        if data.tables.experiment is not None:
            first, last = SHARES[stage]
            return *table_rows(data.tables, stage), f"by a hash of customers: learned below {first}, judged to {last}"
        past, judged = _campaigns_of(data.tables, stage)
        learned, rows = (
            load_experiment(data.tables, each, self.levels, data.cache, self.reactions) for each in (past, judged)
        )
        return learned, rows, _split(judged)

    def _reactions(self) -> str:
        return " reactions=True" if self.reactions else ""

    def _answers(self) -> list[str]:
        """What a service gives."""
        return ["probability", "uplift"] if self.probabilities else ["uplift"]

    def _measured(self, model: Any, judged: Experiment, rows: pd.DataFrame, score: np.ndarray) -> dict[str, Any]:
        parts = measured(judged, score, self.shares, self.n_resamples)
        if not self.probabilities:
            return parts
        return with_probabilities(parts, judged, model.predict_proba(rows), self.n_resamples)


def _campaigns_of(tables: Tables, stage: Stage) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The campaigns to learn from, and the one to judge by."""
    offers: Any = campaigns(tables)
    if offers.duplicated(["start", "end"]).any():
        raise DataError(f"{tables.card.title} has campaigns of several arms; set task=uplift_arms model=uplift/per_arm")
    last = len(offers) - (2 if stage == "val" else 1)
    judged = offers[last : last + 1]
    past = offers[:last]
    past = past[past.end <= judged.start.iloc[0]]
    if past.empty:
        raise DataError(f"stage={stage}: no campaign was over when the one to judge by began; set evaluate=[test]")
    return past, judged


def _split(offer: pd.DataFrame) -> str:
    (row,) = offer.to_dict("records")
    return f"campaign {row['offer_id']} from {row['start']:%Y-%m-%d} on, learned from earlier ones"


def _counts(learned: Experiment, judged: Experiment) -> dict[str, float]:
    treated, control = (judged.y[group].mean() for group in (judged.treated, ~judged.treated))
    return {
        "learned": len(learned),
        "learned_campaigns": learned.n_campaigns,
        "judged": len(judged),
        "judged_treated": int(judged.treated.sum()),
        "average_effect": float(treated - control),
        "balance_auc": balance(learned),
    }
