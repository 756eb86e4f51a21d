"""Response: who acts when treated, whatever the reason."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.outcome_models import chance, default_classifier, fitted_classifier, values
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class Response:
    """The most common baseline: sure things rank as high as persuadables.

    Args:
        model: a scikit-learn classifier.
    """

    model: Any = field(default_factory=default_classifier)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        mask = both_groups(treated)
        self.model_ = fitted_classifier(self.model, values(x)[mask], y[mask])
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """P(acts | treated), which ranks but is no uplift; shape (N,)."""
        return chance(self.model_, values(x))
