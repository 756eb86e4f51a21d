"""DRLearner: a regression on doubly robust pseudo-outcomes."""

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
class DRLearner:
    """Effects regressed on a pseudo-outcome that is right where the outcomes or the propensity are.

    The pseudo-outcome of a customer is the difference of the two predicted outcomes, plus what the observed one differs
    from its prediction over the probability of having been treated so; predictions are cross-fitted over customers
    (Kennedy, "Towards optimal doubly robust estimation of heterogeneous causal effects", 2020).

    Args:
        model: a scikit-learn classifier, of outcomes.
        effect: a scikit-learn regressor, of effects; a pseudo-outcome is noisy, so it is to be regularised strongly.
        propensity: P(treated): ``share``, that of the rows, for a random control group; a number, where it is known;
            ``estimated`` by ``model``, where it depends on the features.
        clip: propensities are held between it and one minus it.
        n_splits: folds of customers.
        n_repeats: rounds of cross-fitting, each with folds of its own, whose pseudo-outcomes are averaged.
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
        rounds = [self._pseudo_outcome(x, mask, y, self.seed + number) for number in range(self.n_repeats)]
        self.effect_ = fitted_regressor(self.effect, values(x), np.mean(rounds, axis=0))
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        return effect(self.effect_, values(x))

    def _pseudo_outcome(self, x: pd.DataFrame, mask: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
        fold = fold_of_rows(x, self.n_splits, seed)
        outcomes, propensity = cross_fitted_outcomes(self.model, x, mask, y, fold), propensities(self, x, mask, fold)
        weight = np.where(mask, 1 / propensity, -1 / (1 - propensity))
        return outcomes[:, 1] - outcomes[:, 0] + weight * (y - np.where(mask, outcomes[:, 1], outcomes[:, 0]))
