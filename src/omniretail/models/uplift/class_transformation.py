"""ClassTransformation: one model of whether the outcome agrees with the treatment."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.outcome_models import chance, default_classifier, fitted_classifier, values
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class ClassTransformation:
    """One model of whether a customer acted if treated, or did not if not.

    Twice its probability minus one is the uplift where half are treated (Jaśkowski and Jaroszewicz, "Uplift modeling
    for clinical trial data", 2012); weights bring other shares to a half.

    Args:
        model: a scikit-learn classifier that takes weights.
    """

    model: Any = field(default_factory=default_classifier)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        mask = both_groups(treated)
        weight = np.where(mask, 0.5 / mask.mean(), 0.5 / (1 - mask.mean()))
        self.model_ = fitted_classifier(self.model, values(x), (y == mask).astype(int), sample_weight=weight)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        return 2 * chance(self.model_, values(x)) - 1
