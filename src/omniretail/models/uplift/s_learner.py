"""SLearner: one model with the treatment among its features."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.outcome_models import chance, default_classifier, fitted_classifier, values
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class SLearner:
    """A single model with the treatment among its features; the uplift is what flipping it changes.

    The treatment is also multiplied with every feature, without which a linear model predicts the same for everybody.
    Künzel et al., "Metalearners for estimating heterogeneous treatment effects", PNAS 2019.

    Args:
        model: a scikit-learn classifier.
    """

    model: Any = field(default_factory=default_classifier)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        self.model_ = fitted_classifier(self.model, _crossed(values(x), both_groups(treated)), y)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        yes, no = (chance(self.model_, _crossed(values(x), np.full(len(x), sent))) for sent in (True, False))
        return yes - no


def _crossed(x: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Features, treatment, and their products; shape (N, 2 D + 1)."""
    return np.column_stack([x, treated, x * treated[:, None]])
