"""Logistic: a weighted sum of the row's features, as a probability."""

from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.responses.encoding import logged, matrix, remember, remembered, require_both
from omniretail.models.responses.features import Features


class Logistic:
    """Logistic regression with a ridge penalty on features of like size.

    Large counts are bent by a logarithm, quantities standardised, missing ones put at the mean, categories spelled out.

    Args:
        strength: of the penalty, per training row: the smaller, the freer the weights.
    """

    def __init__(self, strength: float = 0.3) -> None:
        self.strength = strength

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``.

        Raises:
            ValueError: where all outcomes are alike.
        """
        from sklearn.linear_model import LogisticRegression

        outcome, bent = require_both(y), logged(rows)
        features = Features.of(bent)
        remember(self, features)
        found = LogisticRegression(C=1 / (self.strength * len(rows)), max_iter=2000).fit(
            matrix(features, bent), outcome
        )
        self.weights_, self.bias_ = found.coef_[0], found.intercept_
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``.

        Raises:
            ValueError: where a column is missing that the model was fitted with.
        """
        features = remembered(self)
        features.require(rows)
        bent = logged(rows.reindex(columns=features.columns))
        # row by row the same sum in the same order, whoever else is asked
        logit = np.einsum("nd,d->n", matrix(features, bent), self.weights_) + self.bias_[0]
        return 1 / (1 + np.exp(-logit))
