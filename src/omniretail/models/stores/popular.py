"""PopularStore: the stores with most visits, the same for everybody."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above
from omniretail.models.stores.within_horizon import within_horizon
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries


@dataclass(eq=False)
class PopularStore:
    """Ranks stores by their visits in the last days before the cutoff.

    Args:
        days: that count.
    """

    days: float = 28

    def __post_init__(self) -> None:
        above(self, "days")

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.popularity_ = popularity(log, self.days)
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        return np.tile(self.popularity_.astype(np.float32), (len(queries.visits), 1))

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``."""
        return within_horizon(self, log, horizon_days)


def popularity(log: StoreLog, days: float = 28) -> np.ndarray:
    """Share of each store in the visits of the last days, with a trace of earlier ones.

    Returns:
        In [0, 1), with a sum below 1, so that any visit of a customer outweighs it; shape (S,).
    """
    recent = log.visits.timestamp >= log.at - days * DAY
    counts = np.bincount(log.visits.store[recent], minlength=log.n_stores)
    ever = np.bincount(log.visits.store, minlength=log.n_stores)
    smoothed = counts + ever / (ever.sum() + 1)
    return smoothed / (smoothed.sum() + 1)
