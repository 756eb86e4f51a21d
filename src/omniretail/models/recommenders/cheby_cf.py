"""ChebyCF: a smooth filter on the item graph, given by a polynomial, beside an ideal low-pass filter; no training."""

from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
from numpy.polynomial import chebyshev

from omniretail.core.checks import above, at_least, one_of
from omniretail.models.graph_filters import chebyshev_sum, degree_normalised, right_singular_vectors
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train


@dataclass(eq=False)
class ChebyCF:
    """Chebyshev interpolation of a filter that falls from 1 to 0 with a plateau (Kim et al., SIGIR 2025).

    With the normalised matrix ``R = Du^-1/2 X Di^-1/2`` (D: the degrees), the graph's Laplacian ``L = I - R'R`` has
    frequencies in [0, 1], and V are the ``factors`` first right singular vectors of R. A history x scores

        Di^beta (p(2L - I) + alpha V V') Di^-beta x,    p interpolates h(t) = (1 - sign(t) |t|^flatness) / 2,

    t from -1 (what all share) to 1. p has degree ``order``; as in the authors' code it takes at its K + 1 nodes, the
    roots of T_(K+1), the values that h has at the extrema of T_K, which lie a little further out.

    ``user_exponent`` replaces the 1/2 of Du, in the paper's place of which long histories count less than they tell;
    R is then divided by its largest singular value, so that frequencies stay in [0, 1].

    Args:
        order: the paper's K.
        flatness: the paper's phi; 1 is a line, more of it a longer plateau.
        factors: number of singular vectors; the paper's eta.
        alpha: weight of the ideal low-pass filter.
        beta: exponent of the items' degrees; more of it for popular items.
        user_exponent: of the users' degrees; the paper's is 0.5.
        iterations: of the randomised decomposition; more is closer to the exact one.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
        seed: of the decomposition's random start.
    """

    order: int = 8
    flatness: float = 1.5
    factors: int = 512
    alpha: float = 0.2
    beta: float = 0.4
    user_exponent: float = 0.5
    iterations: int = 8
    weighting: Weighting = "binary"
    seed: int = 42

    def __post_init__(self) -> None:
        at_least(self, "order", "factors", "iterations", low=1)
        above(self, "flatness")
        at_least(self, "alpha", "beta")
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        user_items = weighted_user_items(train.histories, self.weighting)
        self.normalised_, degrees = degree_normalised(user_items, self.user_exponent)  # R: (U, I)
        self.vectors_ = right_singular_vectors(self.normalised_, self.factors, self.iterations, self.seed)  # V
        self.normalised_.data /= np.linalg.norm(self.normalised_ @ self.vectors_[:, 0])
        self.item_scale_ = (degrees**self.beta).astype(np.float32)  # (I,)
        self.coefficients_ = plateau_coefficients(self.order, self.flatness)  # (K + 1,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = weighted_user_items(users, self.weighting)  # (B, I)
        own.data /= self.item_scale_[own.indices]
        scores = chebyshev_sum(own.toarray(), self.normalised_, self.coefficients_)
        scores += (own @ self.vectors_) @ (np.float32(self.alpha) * self.vectors_.T)
        scores *= self.item_scale_
        return scores


def plateau_coefficients(order: int, flatness: float) -> np.ndarray:
    """Coefficients of Chebyshev's polynomials T_0 … T_order of the plateau filter p, see ``ChebyCF``; (order + 1,).

    >>> plateau_coefficients(2, 1.0).round(3) + 0.0  # no -0
    array([ 0.5  , -0.577,  0.   ])
    """
    extrema = -np.cos(np.arange(order + 1) * np.pi / order)  # of T_K, ascending as the nodes
    values = (1 - np.sign(extrema) * np.abs(extrema) ** flatness) / 2
    nodes = np.sort(chebyshev.chebpts1(order + 1))
    return np.linalg.solve(chebyshev.chebvander(nodes, order), values)
