"""LastStore: a customer goes where they went last."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.models.stores.decayed_visits import rows_of
from omniretail.models.stores.popular import popularity
from omniretail.models.stores.within_horizon import within_horizon
from omniretail.views.stores.visit_log import StoreLog, VisitQueries


@dataclass(eq=False)
class LastStore:
    """Ranks the store of the last visit first, then the one visited before it, and so on."""

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.popularity_ = popularity(log)
        visits = log.visits
        nth = np.arange(len(visits)) - np.searchsorted(visits.row, visits.row)  # of the customer's visits, from 0
        self.latest_ = np.zeros((log.n_users, log.n_stores), dtype=np.float32)
        np.maximum.at(self.latest_, (visits.row, visits.store), nth + 1)
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        return rows_of(self.latest_, queries.visits.row) + self.popularity_.astype(np.float32)

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``; all visits go to the first store."""
        return within_horizon(self, log, horizon_days, first_only=True)
