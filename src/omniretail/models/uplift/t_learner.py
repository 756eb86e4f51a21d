"""TLearner: one model of the treated and one of the controls."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.outcome_models import chance, default_classifier, fitted_classifier, values
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class TLearner:
    """Two models, one of the treated, one of the controls; the uplift is their difference (Künzel et al., 2019).

    Args:
        model: a scikit-learn classifier.
    """

    model: Any = field(default_factory=default_classifier)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        mask, features = both_groups(treated), values(x)
        self.treated_model_ = fitted_classifier(self.model, features[mask], y[mask])
        self.control_model_ = fitted_classifier(self.model, features[~mask], y[~mask])
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        return chance(self.treated_model_, values(x)) - chance(self.control_model_, values(x))
