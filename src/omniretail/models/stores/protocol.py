"""What every store model has. There is nothing to inherit: a class with these methods is a model."""

from typing import Protocol, Self

import numpy as np
from scipy import sparse

from omniretail.views.stores.visit_log import StoreLog, VisitQueries


class StoreModel(Protocol):
    """Scores stores for a customer's next visit, and the chances of a visit within a horizon.

    Models are dataclasses of their hyper-parameters; what is learned is in attributes that end in an underscore.
    """

    def fit(self, log: StoreLog) -> Self:
        """Learn from the visits before the cutoff ``log.at``."""
        ...

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """Higher is likelier; a row's scores depend on that row alone.

        Args:
            queries: Q visits, of which a model reads the customer and, where ``timed``, the time, never the store.
            timed: whether the time of the visit is known.

        Returns:
            float32, finite; shape (Q, S). A customer without an earlier visit gets the popular stores.
        """
        ...

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """P(the customer visits the store within the horizon), independent over stores.

        Args:
            log: that the model was fitted on.
            horizon_days: from the cutoff.

        Returns:
            float64 in [0, 1], absent where it is as good as 0; shape (U, S).
        """
        ...
