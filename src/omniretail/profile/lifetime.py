"""The lifetime task: how many purchases, and of what value, does each customer make in the window?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.core.checks import above
from omniretail.core.errors import DataError
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.lifetime.holdout import holdout_errors
from omniretail.models.lifetime.protocol import LifetimeModel
from omniretail.result import Result, key, metric_rows
from omniretail.splits.cutoff import Cutoff, Stage
from omniretail.splits.temporal import Temporal
from omniretail.tasks import Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of
from omniretail.views.profile.recency_frequency import WEEK, purchases, recency_frequency

TARGETS = ("purchases", "value")


@dataclass(frozen=True)
class LifetimeFindings:
    """What the page of the lifetime task shows.

    Attributes:
        parameters: of the fitted model, by name.
        unit_days: length of the unit of time, days.
        horizon_days: length of the window, days.
        n_customers: evaluated.
    """

    parameters: dict[str, float]
    unit_days: float
    horizon_days: int
    n_customers: int


@dataclass(frozen=True)
class Lifetime:
    """Predict purchases and their value per customer, and compare with the window.

    Customers who bought before the cutoff are evaluated, whether or not they came again; new ones are not.

    Attributes:
        unit_days: length of the models' unit of time, in days.
    """

    unit_days: float = WEEK

    def __post_init__(self) -> None:
        above(self, "unit_days")

    def evaluate(self, model: LifetimeModel, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model to the purchases before the stage's cutoff, and predict its window; see ``Task``.

        Raises:
            DataError: where the split is not by time, or the log has no dates.
            SettingsError: where the customers do not determine the model's parameters.
        """
        require_methods(model, ["fit", "predict"], "lifetime", example="lifetime/bg_nbd")
        customers, actual, horizon_days = self._customers(data, stage)
        with metered() as fitting:
            model.fit(customers)
        with metered() as predicting:
            predicted = model.predict(customers, horizon=horizon_days / self.unit_days)
        targets = [target for target in TARGETS if target in predicted]
        users = pd.Index(customers["user_id"], name="user_id")
        pairs = {name: (predicted[name].to_numpy(float), actual[name].to_numpy(float)) for name in targets}
        errors = {key(name, "mae"): np.abs(a - b) for name, (a, b) in pairs.items()}
        metrics = [metric_rows(holdout_errors(a, b), name) for name, (a, b) in pairs.items()]
        metrics.append(metric_rows(model.parameters_, "fitted"))
        result = Result(
            model=model_name(model),
            stage=stage,
            task="lifetime",
            per_unit=pd.DataFrame(errors, index=users),
            metrics=pd.concat(metrics, ignore_index=True),
            protocol=protocol_of(self, "lifetime", data, stage),
            parameters=parameters_of(model),
            counts={"customers": len(customers)},
            cost=costs(fit=fitting, score=predicting),
            seed=seed_of(model),
        )
        findings = LifetimeFindings(model.parameters_, self.unit_days, horizon_days, len(customers))
        predictions = predicted.assign(user_id=customers["user_id"])
        return Evaluation(result, tables={"predictions": predictions}, findings=findings, model=model)

    def _customers(self, data: Dataset, stage: Stage) -> tuple[pd.DataFrame, pd.DataFrame, int]:
        """Customers by recency and frequency, what they bought in the window in the same order, and its days."""
        split, card = data.required_split(), data.tables.card
        if not isinstance(split, Temporal) or not card.clock:
            raise DataError(f"{card.title}: lifetime value needs dates and split=temporal; try source=cdnow")
        cutoff: Cutoff = split.cutoff(data.tables.purchases, stage)
        assert cutoff.at is not None
        past = recency_frequency(cutoff.before, at=cutoff.at, unit_days=self.unit_days, zone=card.zone)
        customers = past.order_by("user_id").to_pandas()
        bought = purchases(cutoff.held_out, zone=card.zone).to_pandas()
        actual = customers[["user_id"]].merge(bought, on="user_id", how="left").fillna({"purchases": 0.0, "value": 0.0})
        return customers, actual, split.horizon_days
