"""BPR: a vector per user and item, learned from pairs of an item taken and one left."""

from typing import Self

import numpy as np
from scipy import sparse

from omniretail.models.protocols import UnknownUserError
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train


class BPR:
    """Matrix factorisation under Bayesian personalised ranking (Rendle et al., UAI 2009), by the library ``implicit``.

    The only one of these models that cannot serve a history it was not trained on.

    Args:
        factors: length of a vector.
        learning_rate: of the gradient steps.
        regularization: of the factors.
        iterations: epochs.
        seed: of the start and the samples.
    """

    def __init__(
        self,
        factors: int = 64,
        learning_rate: float = 0.05,
        regularization: float = 0.01,
        iterations: int = 100,
        seed: int = 42,
    ) -> None:
        self.factors = factors
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.iterations = iterations
        self.seed = seed

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking  # for learning alone

        model = BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            iterations=self.iterations,
            num_threads=1,  # with more, threads race for the factors and no run is like another
            random_state=self.seed,
        )
        model.fit(sparse.csr_matrix(binary_user_items(train.histories)), show_progress=False)  # the older class only
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
        """What is multiplied with ``item_factors_``; shape (B, factors + 1).

        Raises:
            UnknownUserError: for a history of a user who was not in training.
        """
        unknown = users.user_idx < 0
        n_unknown = int((unknown & (users.lengths > 0)).sum())
        if n_unknown:
            raise UnknownUserError("BPR", n_unknown, len(users))
        nobody = np.append(np.zeros(self.factors, dtype=np.float32), np.float32(1))
        return np.where(unknown[:, None], nobody, self.user_factors_[users.user_idx])
