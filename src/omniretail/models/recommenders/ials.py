"""iALS: factors of users and items by alternating least squares; any history is folded in."""

from dataclasses import dataclass
from functools import cache
from typing import Self, get_args

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import ThreadpoolController

from omniretail.core.checks import above, at_least, one_of
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

_controller = cache(ThreadpoolController)  # finding the libraries takes longer than scoring a user


@dataclass(eq=False)
class IALS:
    """Weighted matrix factorisation (Hu, Koren and Volinsky, ICDM 2008), trained by the library ``implicit``.

    It minimises ``sum_ui c_ui (p_ui - x_u . y_i)^2 + regularization (|x|^2 + |y|^2)`` with confidence c = ``alpha`` on
    what a user has (p = 1) and 1 on all else (p = 0). Only the items' factors are learned: every user's factors, of
    training or not, are solved from their history.

    Args:
        factors: length of a vector.
        regularization: the paper's lambda.
        alpha: confidence in what was bought, per unit of weight (the paper's is one more).
        iterations: each solves all users, then all items.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
        seed: of the random start.
    """

    label = "iALS"

    factors: int = 128
    regularization: float = 10.0
    alpha: float = 5.0
    iterations: int = 15
    weighting: Weighting = "binary"
    seed: int = 42

    def __post_init__(self) -> None:
        at_least(self, "factors", "iterations", low=1)
        at_least(self, "regularization")
        above(self, "alpha")
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        with _controller().limit(limits=1, user_api="blas"):  # the library has threads of its own
            solver = self._solver()
            solver.fit(self._confidence(train.histories), show_progress=False)
        self.item_factors_ = solver.item_factors  # (I, factors)
        self._fold_in = None
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return self.user_vectors(users) @ self.item_factors_.T

    def user_vectors(self, users: Histories) -> np.ndarray:
        """The users' factors, solved from their histories; float32, shape (B, factors)."""
        solver = getattr(self, "_fold_in", None)
        if self.item_factors_.shape != (users.n_items, self.factors):  # the library trusts it
            raise ValueError(f"IALS: item_factors_ has shape {self.item_factors_.shape}")
        if solver is None:  # cached: it holds the product of the items' factors with themselves
            solver = self._solver()
            solver.item_factors = self.item_factors_
            self._fold_in = solver
        with _controller().limit(limits=1, user_api="blas"):
            return solver.recalculate_user(np.arange(len(users)), self._confidence(users))

    def _solver(self) -> AlternatingLeastSquares:
        return AlternatingLeastSquares(
            factors=self.factors,
            regularization=self.regularization,
            alpha=self.alpha,
            iterations=self.iterations,
            random_state=self.seed,
        )

    def _confidence(self, histories: Histories) -> sparse.csr_matrix:
        return sparse.csr_matrix(weighted_user_items(histories, self.weighting))  # the library takes this class only
