"""XLearner: effects imputed from each group's model for the other group, then learned."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.outcome_models import (
    chance,
    default_classifier,
    default_regressor,
    effect,
    fitted_regressor,
    values,
)
from omniretail.models.uplift.protocol import both_groups
from omniretail.models.uplift.t_learner import TLearner


@dataclass(eq=False)
class XLearner:
    """Each group's outcome model imputes the other group's effects, and two regressions learn them.

    The two are weighted by the share of the treated, so that the larger group's outcome model counts more (Künzel et
    al., 2019).

    Args:
        model: a scikit-learn classifier, of outcomes.
        effect: a scikit-learn regressor, of effects.
    """

    model: Any = field(default_factory=default_classifier)
    effect: Any = field(default_factory=default_regressor)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        mask, features = both_groups(treated), values(x)
        outcomes = TLearner(self.model).fit(x, mask, y)
        of_treated = y[mask] - chance(outcomes.control_model_, features[mask])
        of_controls = chance(outcomes.treated_model_, features[~mask]) - y[~mask]
        self.treated_effect_ = fitted_regressor(self.effect, features[mask], of_treated)
        self.control_effect_ = fitted_regressor(self.effect, features[~mask], of_controls)
        self.share_ = np.asarray(mask.mean())  # of the treated
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        of_treated, of_controls = (effect(model, values(x)) for model in (self.treated_effect_, self.control_effect_))
        return self.share_ * of_controls + (1 - self.share_) * of_treated
