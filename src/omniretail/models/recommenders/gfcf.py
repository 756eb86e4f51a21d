"""GF-CF: graph filters without training; a neighbourhood term and a spectral term."""

from dataclasses import dataclass
from typing import Self, get_args

import numpy as np

from omniretail.core.checks import at_least, one_of
from omniretail.models.graph_filters import degree_normalised, right_singular_vectors
from omniretail.models.sparse_ops import dense_times_sparse
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train


@dataclass(eq=False)
class GFCF:
    """A linear and an ideal low-pass filter on the item graph (Shen et al., CIKM 2021).

    With the normalised matrix ``R = Du^-1/2 X Di^-1/2`` (D: the degrees) and V its ``factors`` first right singular
    vectors, a history x scores ``x R'R + alpha x Di^-1/2 V V' Di^1/2``.

    Args:
        alpha: weight of the ideal low-pass filter; 0.3 in the authors' code.
        factors: number of singular vectors.
        iterations: of the randomised decomposition; more is closer to the exact one.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
        seed: of the decomposition's random start.
    """

    label = "GF-CF"

    alpha: float = 0.3
    factors: int = 256
    iterations: int = 8
    weighting: Weighting = "binary"
    seed: int = 42

    def __post_init__(self) -> None:
        at_least(self, "alpha")
        at_least(self, "factors", "iterations", low=1)
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.normalised_, degrees = degree_normalised(weighted_user_items(train.histories, self.weighting))  # R: (U, I)
        vectors = right_singular_vectors(self.normalised_, self.factors, self.iterations, self.seed)  # V: (I, factors)
        roots = np.sqrt(degrees)  # (I,)
        self.encoder_ = vectors / np.where(roots > 0, roots, 1)[:, None]  # (I, factors)
        self.decoder_ = self.alpha * vectors.T * roots  # (factors, I)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = weighted_user_items(users, self.weighting)  # (B, I)
        scores = dense_times_sparse((own @ self.normalised_.T).toarray(), self.normalised_)
        scores += (own @ self.encoder_) @ self.decoder_
        return scores
