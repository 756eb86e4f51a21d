"""DRLearner: a regression on doubly robust pseudo-outcomes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from omniretail.models.uplift.cross_fitting import CrossFitted
from omniretail.models.uplift.outcome_models import fitted_regressor


@dataclass(eq=False)
class DRLearner(CrossFitted):
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

    def targets(
        self, mask: np.ndarray, y: np.ndarray, outcomes: np.ndarray, propensity: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """The pseudo-outcome; see ``CrossFitted``."""
        weight = np.where(mask, 1 / propensity, -1 / (1 - propensity))
        unexplained = y - np.where(mask, outcomes[:, 1], outcomes[:, 0])
        return (outcomes[:, 1] - outcomes[:, 0] + weight * unexplained,)

    def regression(self, features: np.ndarray, *targets: np.ndarray) -> Any:
        """Of the pseudo-outcome; see ``CrossFitted``."""
        return fitted_regressor(self.effect, features, *targets)
