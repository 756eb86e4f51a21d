"""The response task where rows have no time: every customer is scored by models that were fitted on others."""

from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.ifood import ResponseRows, response_rows
from omniretail.o2o.offers.metrics import measured, require_probabilities
from omniretail.result import Result
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of

LAST_CAMPAIGN = 6
"""Its number; customers' answers to the five before it are features."""


@dataclass(frozen=True)
class CrossFittedResponse:
    """Predict who accepts a campaign, by repeated cross-fitting over customers; stages do not differ.

    Attributes:
        undated: see ``response_rows``; no part of the protocol, since the same customers are judged.
        n_folds: of customers; rows that are alike stay in one fold, and folds have about the same response rate.
        n_repeats: with new folds each time; a customer's predictions are averaged.
        seed: of the folds.
    """

    undated: bool = field(default=False, metadata=NOT_PROTOCOL)
    n_folds: int = 5
    n_repeats: int = 5
    seed: int = 1

    def evaluate(self, model: ResponseModel, data: Dataset, stage: Stage) -> Evaluation:
        """Predict by cross-fitting, then fit the model on all customers; see ``Task``.

        Raises:
            DataError: where the source has no campaign responses per customer.
            SettingsError: where predictions are no probabilities.
        """
        require_methods(model, ["fit", "predict_proba"], "response", example="response/logistic")
        rows = response_rows(data.tables, self.undated)
        with metered() as cost:
            score = cross_fitted(model, rows, self.n_folds, self.n_repeats, self.seed)
        require_probabilities(model_name(model), score)
        predictions = pd.DataFrame(
            {"user_id": rows.user_id, "offer_id": LAST_CAMPAIGN, "truth": rows.y, "score": score}
        )
        result = Result(
            model=model_name(model),
            stage=stage,
            task="cross_fitted_response",
            **measured(predictions),
            protocol=protocol_of(self, "cross_fitted_response", data, stage, split="by customer, cross-fitted"),
            parameters=f"{parameters_of(model)} undated={self.undated}".strip(),
            counts={"judged": len(rows.y), "judged_redeemed": int(rows.y.sum())},
            cost=costs(fit=cost),
            seed=seed_of(model),
        )
        model.fit(rows.rows, rows.y)
        return Evaluation(result, bundle={"model": model, "rows": rows.rows}, model=model)


def cross_fitted(model: ResponseModel, rows: ResponseRows, n_folds: int, n_repeats: int, seed: int) -> np.ndarray:
    """Probabilities of customers by models that were fitted on the other folds.

    Args:
        model: not fitted; copied for each fold.
        rows: features and outcomes.
        n_folds: of customers.
        n_repeats: with new folds; predictions are averaged.
        seed: of the folds.

    Returns:
        Shape (N,).
    """
    score = np.zeros(len(rows.y))
    for repeat in range(n_repeats):
        folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed + repeat)
        for learned, judged in folds.split(rows.rows, rows.y, rows.same):
            fitted = deepcopy(model).fit(rows.rows.iloc[learned].reset_index(drop=True), rows.y[learned])
            score[judged] += fitted.predict_proba(rows.rows.iloc[judged].reset_index(drop=True)) / n_repeats
    return score
