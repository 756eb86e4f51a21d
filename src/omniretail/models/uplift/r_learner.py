"""RLearner: the effect that explains what outcomes and propensity leave unexplained."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.cross_fitting import (
    cross_fitted_outcomes,
    fold_of_rows,
    propensities,
    require_settings,
)
from omniretail.models.uplift.outcome_models import (
    default_classifier,
    effect,
    fitted_regressor,
    linear_regressor,
    values,
)
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class RLearner:
    """The regression that minimises the R-loss (Nie and Wager, "Quasi-oracle estimation", Biometrika 2021).

    What a customer did beyond the expected is divided by how far their treatment was from its probability, and
    regressed with the square of the latter as weight. Expectations are cross-fitted over customers.

    Args:
        model: a scikit-learn classifier, of outcomes.
        effect: a scikit-learn regressor that takes weights, or a pipeline that ends in one.
        propensity: P(treated), see ``DRLearner``.
        clip: propensities are held between it and one minus it.
        n_splits: folds of customers.
        n_repeats: rounds of cross-fitting, each with folds of its own, that are learned from together.
        seed: of the folds.
    """

    model: Any = field(default_factory=default_classifier)
    effect: Any = field(default_factory=linear_regressor)
    propensity: float | str = "share"
    clip: float = 0.01
    n_splits: int = 3
    n_repeats: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        require_settings(self)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``.

        Raises:
            SettingsError: also where a fold has no customer of one group.
        """
        mask = both_groups(treated)
        rounds = [self._residuals(x, mask, y, self.seed + number) for number in range(self.n_repeats)]
        of_outcome, of_treatment = (np.mean(each, axis=0) for each in zip(*rounds, strict=True))
        weight = of_treatment**2
        self.effect_ = fitted_regressor(self.effect, values(x), of_outcome / of_treatment, sample_weight=weight)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        return effect(self.effect_, values(x))

    def _residuals(self, x: pd.DataFrame, mask: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Of outcome and treatment; each of shape (N,)."""
        fold = fold_of_rows(x, self.n_splits, seed)
        outcomes, propensity = cross_fitted_outcomes(self.model, x, mask, y, fold), propensities(self, x, mask, fold)
        expected = propensity * outcomes[:, 1] + (1 - propensity) * outcomes[:, 0]
        return y - expected, mask - propensity
