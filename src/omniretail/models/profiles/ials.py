"""IALSFactors: the user factors of the recommender iALS."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from omniretail.models.recommenders.ials import IALS
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting
from omniretail.views.train import Train


@dataclass(eq=False)
class IALSFactors:
    """Weighted matrix factorisation (Hu, Koren and Volinsky, ICDM 2008); factors are solved from the history.

    Args:
        factors: D.
        regularization: see ``IALS``, as for the rest.
        alpha: confidence in what was bought, per unit of weight.
        iterations: each solves all users, then all items.
        weighting: of a pair of user and item.
        seed: of the random start.
    """

    label = "iALS factors"

    factors: int = 64
    regularization: float = 10.0
    alpha: float = 5.0
    iterations: int = 15
    weighting: Weighting = "log"
    seed: int = 1

    def __post_init__(self) -> None:
        self._solver()  # refuses what IALS refuses

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``."""
        self.item_factors_ = self._solver().fit(train).item_factors_  # (I, D)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; an empty history lies at the origin."""
        solver = self._solver()
        solver.item_factors_ = self.item_factors_
        return solver.user_vectors(users)

    def _solver(self) -> IALS:
        return IALS(
            factors=self.factors,
            regularization=self.regularization,
            alpha=self.alpha,
            iterations=self.iterations,
            weighting=self.weighting,
            seed=self.seed,
        )
