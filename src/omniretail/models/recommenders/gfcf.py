"""GF-CF: graph filters without training; a neighbourhood and a spectrum added up."""

from typing import Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from omniretail.views.fold import Train
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items


class GFCF:
    """A linear and an ideal low-pass filter on the item graph (Shen et al., CIKM 2021).

    With the normalised matrix ``R = Du^-1/2 X Di^-1/2`` (D: the degrees) and V its ``factors`` first right singular
    vectors, a history x scores ``x R'R + alpha x Di^-1/2 V V' Di^1/2``.

    Args:
        alpha: weight of the ideal low-pass filter; 0.3 in the authors' code.
        factors: singular vectors kept.
        power_iterations: of the randomised decomposition (Halko et al., 2011); more is closer to the exact one.
        seed: of its random start.
    """

    def __init__(self, alpha: float = 0.3, factors: int = 256, power_iterations: int = 4, seed: int = 42) -> None:
        self.alpha = alpha
        self.factors = factors
        self.power_iterations = power_iterations
        self.seed = seed

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        user_items = binary_user_items(train.histories)
        user_degree, item_degree = (np.maximum(user_items.sum(axis=axis), 1) for axis in (1, 0))
        self.root_degree_ = np.sqrt(item_degree)  # (I,)
        self.normalised_ = sparse.csr_array(user_items / np.sqrt(user_degree)[:, None] / self.root_degree_)  # (U, I)
        _, _, self.spectrum_ = randomized_svd(  # V': (factors, I)
            self.normalised_,
            n_components=min(self.factors, *user_items.shape),
            n_iter=self.power_iterations,
            random_state=self.seed,
        )
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = binary_user_items(users)  # (B, I)
        scores = np.ascontiguousarray((own @ self.normalised_.T).toarray() @ self.normalised_)
        low_pass = (own / self.root_degree_) @ self.spectrum_.T  # (B, factors)
        scores += (self.alpha * low_pass @ self.spectrum_) * self.root_degree_
        return scores
