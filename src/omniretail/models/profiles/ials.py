"""IALSFactors: the user factors of the recommender iALS."""

from typing import Self

import numpy as np

from omniretail.models.recommenders.ials import IALS
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting
from omniretail.views.train import Train


class IALSFactors:
    """Weighted matrix factorisation (Hu, Koren and Volinsky, ICDM 2008); every customer is folded in.

    Args:
        factors: D.
        regularization: see ``IALS``, as for the others.
        alpha: confidence in what was bought, per unit of weight.
        iterations: turns of users and items.
        weighting: what a pair of user and item weighs.
        seed: of the random start.
    """

    label = "iALS factors"

    def __init__(
        self,
        factors: int = 64,
        regularization: float = 10.0,
        alpha: float = 5.0,
        iterations: int = 15,
        weighting: Weighting = "log",
        seed: int = 1,
    ) -> None:
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.iterations = iterations
        self.weighting: Weighting = weighting
        self.seed = seed

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``."""
        self.item_factors_ = self._model().fit(train).item_factors_  # (I, D)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; an empty history lies at the origin."""
        model = self._model()
        model.item_factors_ = self.item_factors_
        return model.user_factors(users)

    def _model(self) -> IALS:
        return IALS(
            factors=self.factors,
            regularization=self.regularization,
            alpha=self.alpha,
            iterations=self.iterations,
            weighting=self.weighting,
            seed=self.seed,
        )
