"""RLearner: the effect that explains what outcomes and propensity leave unexplained."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from omniretail.models.uplift.cross_fitting import CrossFitted
from omniretail.models.uplift.outcome_models import fitted_regressor


@dataclass(eq=False)
class RLearner(CrossFitted):
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

    def targets(
        self, mask: np.ndarray, y: np.ndarray, outcomes: np.ndarray, propensity: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """What outcomes and propensity leave unexplained; see ``CrossFitted``."""
        expected = propensity * outcomes[:, 1] + (1 - propensity) * outcomes[:, 0]
        return y - expected, mask - propensity

    def regression(self, features: np.ndarray, *targets: np.ndarray) -> Any:
        """Of the outcome's residual over the treatment's, weighted by the square of the latter; see ``CrossFitted``."""
        of_outcome, of_treatment = targets
        return fitted_regressor(self.effect, features, of_outcome / of_treatment, sample_weight=of_treatment**2)
