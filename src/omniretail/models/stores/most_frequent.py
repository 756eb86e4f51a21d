"""MostFrequentStore: a customer goes where they went most."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above
from omniretail.models.stores.decayed_visits import decayed_counts, rows_of
from omniretail.models.stores.popular import popularity
from omniretail.models.stores.within_horizon import within_horizon
from omniretail.views.stores.visit_log import StoreLog, VisitQueries

_LEAST = 1e-6  # a visit that has decayed to nothing still ranks above stores never visited


@dataclass(eq=False)
class MostFrequentStore:
    """Ranks stores by the customer's visits, each weighing ``0.5 ** (its age / half_life_days)``.

    Args:
        half_life_days: None: all visits weigh the same.
    """

    half_life_days: float | None = None

    def __post_init__(self) -> None:
        above(self, "half_life_days")

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.popularity_ = popularity(log)
        self.counts_ = decayed_counts(log, self.half_life_days)
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        own = rows_of(self.counts_, queries.visits.row)
        return own + _LEAST * (self.popularity_.astype(np.float32) + (own > 0))

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``; stores are chosen in proportion to the decayed visits."""
        return within_horizon(self, log, horizon_days)
