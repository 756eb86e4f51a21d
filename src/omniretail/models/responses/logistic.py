"""Logistic: logistic regression over the row's features."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.core.checks import above
from omniretail.models.responses.encoding import checked_outcomes, features_of, log_compressed, matrix, set_features
from omniretail.models.responses.features import Features


@dataclass(eq=False)
class Logistic:
    """Logistic regression with a ridge penalty on features of similar size.

    Large counts grow with their logarithm, quantities are standardised, missing ones put at the mean, and each category
    has a column.

    Args:
        strength: of the penalty, per training row: the smaller, the freer the weights.
    """

    strength: float = 0.3

    def __post_init__(self) -> None:
        above(self, "strength")

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``."""
        from sklearn.linear_model import LogisticRegression

        outcome, compressed = checked_outcomes(y), log_compressed(rows)
        features = Features.of(compressed)
        set_features(self, features)
        regression = LogisticRegression(C=1 / (self.strength * len(rows)), max_iter=2000)
        regression.fit(matrix(features, compressed), outcome)
        self.weights_, self.bias_ = regression.coef_[0], np.atleast_1d(regression.intercept_)
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        features = features_of(self)
        features.require(rows)
        compressed = log_compressed(rows.reindex(columns=features.columns))
        # einsum adds in the same order for every row, however many rows there are
        logit = np.einsum("nd,d->n", matrix(features, compressed), self.weights_) + self.bias_[0]
        return 1 / (1 + np.exp(-logit))
