"""NoiseFree: the true effects regressed on a learner's features, to tell what these features let anyone learn."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.outcome_models import effect, fitted_regressor, values
from omniretail.models.uplift.protocol import both_groups
from omniretail.models.uplift.true_effect import require_simulated, true_effects
from omniretail.sources.simulator.source import Simulate


def deep_regressor() -> Any:
    """Gradient boosting for labels without noise, seed 1."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=300, max_depth=6, learning_rate=0.05, random_state=1)


@dataclass(eq=False)
class NoiseFree:
    """A regression of the simulator's true effects on the log's features.

    Real outcomes are the effects and noise, which only the number of customers averages out; without it, the regression
    comes near what its features tell about the effect in unlimited data. What it misses of ``TrueEffect`` is due to the
    features; what others miss of it, to the number of customers.

    Args:
        source: the simulated retailer, whose customers and offers are numbered from 1.
        effect: a scikit-learn regressor.
    """

    source: Simulate = field(metadata={"protocol": False})
    effect: Any = field(default_factory=deep_regressor)

    def __post_init__(self) -> None:
        require_simulated(self)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``; outcomes are not read."""
        both_groups(treated)
        self._fitted = fitted_regressor(self.effect, values(x), true_effects(self.source, x))
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        return effect(self._fitted, values(x))
