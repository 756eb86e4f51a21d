"""BPR: a vector per user and item, learned from pairs of an item that a user bought and one that they did not."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least
from omniretail.core.errors import SettingsError
from omniretail.models.protocols import UnknownUserError
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train


@dataclass(eq=False)
class BPR:
    """Matrix factorisation under Bayesian personalised ranking (Rendle et al., UAI 2009), by the library ``implicit``.

    It cannot score a history that it was not trained on.

    Args:
        factors: length of a vector.
        learning_rate: of the gradient steps.
        regularization: of the factors.
        iterations: epochs.
        seed: of the start and the samples.
    """

    factors: int = 64
    learning_rate: float = 0.05
    regularization: float = 0.01
    iterations: int = 100
    seed: int = 42

    def __post_init__(self) -> None:
        at_least(self, "factors", "iterations", low=1)
        above(self, "learning_rate")
        at_least(self, "regularization")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            SettingsError: where training diverges.
        """
        from implicit.cpu.bpr import BayesianPersonalizedRanking  # only training needs it
        from implicit.recommender_base import ModelFitError

        model = BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            iterations=self.iterations,
            num_threads=1,  # with more, threads race for the factors and no two runs are equal
            random_state=self.seed,
        )
        try:
            model.fit(sparse.csr_matrix(binary_user_items(train.histories)), show_progress=False)
        except ModelFitError:  # factors that are not numbers
            raise SettingsError(f"BPR: training diverges at learning_rate={self.learning_rate:g}; lower it") from None
        self.user_factors_ = model.user_factors  # (U, factors + 1): 1 in the last place
        self.item_factors_ = model.item_factors  # (I, factors + 1): the item's bias in the last place
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the items' biases.

        Raises:
            UnknownUserError: for a history of a user who was not in training.
        """
        return self.user_vectors(users) @ self.item_factors_.T

    def user_vectors(self, users: Histories) -> np.ndarray:
        """Vectors to multiply with ``item_factors_``; shape (B, factors + 1).

        Raises:
            UnknownUserError: for a history of a user who was not in training.
        """
        unknown = users.user_idx < 0
        n_unknown = int((unknown & (users.lengths > 0)).sum())
        if n_unknown:
            raise UnknownUserError("BPR", n_unknown, len(users))
        bias_only = np.append(np.zeros(self.factors, dtype=np.float32), np.float32(1))
        return np.where(unknown[:, None], bias_only, self.user_factors_[users.user_idx])
