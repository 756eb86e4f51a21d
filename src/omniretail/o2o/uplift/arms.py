"""Several treatments: which coupon, if any, is each customer sent, where coupons differ in effect and cost?"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.checks import above, require
from omniretail.core.errors import DataError
from omniretail.core.resources import costs as costs_of
from omniretail.core.resources import metered
from omniretail.dataset import Dataset
from omniretail.metrics.significance import bootstrap_interval
from omniretail.models.uplift.protocol import UpliftModel
from omniretail.o2o.uplift.cached import load_experiment
from omniretail.o2o.uplift.experiment_rows import Experiment, campaigns, stacked
from omniretail.o2o.uplift.policy import best_arms, policy_values, require_costs
from omniretail.result import Result, metric_rows
from omniretail.sources.simulator.source import Simulate
from omniretail.splits.cutoff import Stage, require_stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of


@dataclass(frozen=True)
class UpliftArms:
    """Choose a coupon for each customer, or none, by ``effect x margin - cost``.

    Offers with the same dates are the arms of a campaign, in the order of their ids. Test is the last campaign,
    validation the one before it; a model learns from those that were over when it began.

    Attributes:
        margin: earned by a customer who buys.
        costs: of sending each arm's coupon; one for each arm.
        budgets: largest share of the customers for each arm; None: all.
        levels: columns of the item table whose values become features.
        reactions: whether features tell how customers reacted to earlier mailings, too.
        truth: the simulated retailer, whose true effects then value the policy too; None: it is not read.

    Raises:
        SettingsError: where a setting is out of range.
    """

    margin: float = 1.0
    costs: Sequence[float] = (0.02, 0.05)
    budgets: Sequence[float] | None = None
    levels: Sequence[str] = field(default=("category",), metadata=NOT_PROTOCOL)
    reactions: bool = field(default=False, metadata=NOT_PROTOCOL)
    truth: Simulate | None = field(default=None, metadata=NOT_PROTOCOL)

    def __post_init__(self) -> None:
        above(self, "margin")
        require_costs(self.costs)
        shares = self.budgets or ()
        require(
            self, "budgets", all(0 < share <= 1 for share in shares), "be shares above 0, at most 1, one of each arm"
        )

    def evaluate(self, model: UpliftModel, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model on earlier campaigns and value the coupons that it chooses for a later one; see ``Task``.

        Raises:
            DataError: where campaigns have one arm, or none was over before the judged one began.
            SettingsError: where costs are not one for each arm, or an arm has propensity 0 or 1.
        """
        require_methods(model, ["fit", "predict"], "uplift", example="uplift/per_arm")
        (learned, past), (judged, arm), offers = self._experiments(data, stage)
        with metered() as fitting:
            model.fit(learned.rows, past, learned.y)
        with metered() as scoring:
            effects = model.predict(judged.rows.reindex(columns=learned.rows.columns))
        choice = best_arms(effects, self.margin, self.costs, self._places(len(judged)))
        per_unit, metrics = self._measured(choice, judged, arm)
        result = Result(
            model=model_name(model),
            stage=stage,
            task="uplift_arms",
            per_unit=per_unit,
            metrics=pd.concat([metrics, self._of_truth(choice, judged, offers)], ignore_index=True),
            protocol=protocol_of(
                self, "uplift_arms", data, stage, split=f"campaign {stage}, learned from earlier ones"
            ),
            parameters=parameters_of(model),
            counts={"learned": len(learned), "judged": len(judged), "arms": len(offers)},
            cost=costs_of(fit=fitting, score=scoring),
            seed=seed_of(model),
        )
        chosen = per_unit[[]].assign(arm=choice).reset_index()
        return Evaluation(result, tables={"chosen_arms": chosen}, findings=chosen, model=model)

    def _places(self, n: int) -> list[int] | None:
        return None if self.budgets is None else [int(share * n) for share in self.budgets]

    def _experiments(self, data: Dataset, stage: Stage) -> tuple[Any, Any, list[object]]:
        """Rows and arms to learn from and to judge by, and the offers of the latter's arms."""
        require_stage(stage)
        groups = arms_of(campaigns(data.tables))
        last = len(groups) - (2 if stage == "val" else 1)
        judged = groups[last] if last >= 0 else groups[0]
        past = [each for each in groups[: max(last, 0)] if each.end.iloc[0] <= judged.start.iloc[0]]
        if not past:
            raise DataError(f"stage={stage}: no campaign was over when the one to judge by began; set evaluate=[test]")
        parts = [self._campaign(data, each) for each in past]
        learned = stacked([rows for rows, _ in parts]), np.concatenate([arm for _, arm in parts])
        return learned, self._campaign(data, judged), judged.offer_id.tolist()

    def _campaign(self, data: Dataset, offers: pd.DataFrame) -> tuple[Experiment, np.ndarray]:
        """Rows of a campaign, and the arm that each customer was sent, 0 for none."""
        arms = [
            load_experiment(data.tables, offers.iloc[[at]], self.levels, data.cache, self.reactions)
            for at in range(len(offers))
        ]
        arm = np.zeros(len(arms[0]), dtype=np.int64)
        for number, each in enumerate(arms, start=1):
            arm[each.treated] = number
        return replace(arms[0], treated=arm > 0), arm

    def _measured(self, choice: np.ndarray, judged: Experiment, arm: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Values per customer, and their means: of the policy, and of one arm, or none, for all."""
        n_arms = len(self.costs)
        propensity = np.bincount(arm, minlength=n_arms + 1) / len(arm)
        policies = {"policy_value": choice}
        policies |= {f"value_of_arm_{number}_for_all": np.full(len(arm), number) for number in range(1, n_arms + 1)}
        policies["value_of_none"] = np.zeros(len(arm), dtype=np.int64)
        values = {
            name: policy_values(each, arm, judged.y, propensity, self.margin, self.costs)
            for name, each in policies.items()
        }
        per_unit = pd.DataFrame(values, index=judged.rows.index)
        low, high = (dict(zip(per_unit, end, strict=True)) for end in bootstrap_interval(per_unit.to_numpy()))
        shares = {f"share_of_arm_{number}": float((choice == number).mean()) for number in range(n_arms + 1)}
        return per_unit, pd.concat(
            [metric_rows(per_unit.mean().to_dict(), "", low, high), metric_rows(shares)], ignore_index=True
        )

    def _of_truth(self, choice: np.ndarray, judged: Experiment, offers: Sequence[object]) -> pd.DataFrame:
        """The policy's value by the true probabilities, and that of the best policy; empty without a truth."""
        if self.truth is None:
            return metric_rows({})
        world = self.truth.world()
        user = judged.rows.index.get_level_values("user_id").to_numpy(np.int64) - 1
        campaign = (int(str(offers[0])) - 1) % len(world.starts)
        earned = [world.chance(campaign, number)[user] * self.margin for number in range(len(offers) + 1)]
        value = np.stack(earned, axis=1) - np.concatenate([[0.0], self.costs])  # (N, K + 1)
        true = value[np.arange(len(choice)), choice].mean()
        return metric_rows({"true_policy_value": float(true), "true_best_value": float(value.max(axis=1).mean())})


def arms_of(offers: pd.DataFrame) -> list[pd.DataFrame]:
    """Campaigns by start, each with the offers that are its arms.

    Args:
        offers: from ``campaigns``.

    Raises:
        DataError: where campaigns have one arm, or the last ones have not the same number of them.
    """
    groups = [group for _, group in offers.groupby(["start", "end"], sort=True)]
    if all(len(group) == 1 for group in groups):
        raise DataError("campaigns have one arm only, no two offers having the same dates; set task=uplift")
    if len({len(group) for group in groups}) > 1:
        raise DataError("campaigns differ in their number of arms: leave out those that have fewer or more")
    return groups
