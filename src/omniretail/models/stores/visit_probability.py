"""WillVisit: the chance that a customer visits a store within the next weeks."""

from typing import Any, Self

import numpy as np
from scipy import sparse

from omniretail.models.stores.boosted_choice import nothing_to_learn
from omniretail.models.stores.candidates import StoreCandidates, store_candidates
from omniretail.models.stores.lightgbm_params import tree_settings
from omniretail.schema import DataError
from omniretail.views.stores.visit_log import StoreLog, VisitQueries


class VisitProbability:
    """Boosted trees over a customer and a candidate store, learned from whether earlier windows held such a visit.

    Other than ``BoostedChoice`` it knows that a customer may not come at all, or visit several stores; what offers
    under budgets are worth is a sum of such chances.

    Args:
        horizon_days: length of a window.
        n_windows: learned from, one after the other.
        candidates: stores per customer; the chance of any other is taken to be 0.
        trees: number of them.
        leaves: of each tree, at most.
        learning_rate: of boosting.
        min_rows: in a leaf.
        columns_share: of features drawn for each tree.
        l2: penalty on leaves.
        seed: of all draws.
    """

    def __init__(
        self,
        horizon_days: float = 28,
        n_windows: int = 6,
        candidates: int = 12,
        trees: int = 100,
        leaves: int = 15,
        learning_rate: float = 0.05,
        min_rows: int = 100,
        columns_share: float = 0.7,
        l2: float = 5.0,
        seed: int = 1,
    ) -> None:
        self.horizon_days = horizon_days
        self.n_windows = n_windows
        self.candidates = candidates
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_rows = min_rows
        self.columns_share = columns_share
        self.l2 = l2
        self.seed = seed

    def fit(self, log: StoreLog) -> Self:
        """Learn from what is known at the moment of the log.

        Raises:
            DataError: where no earlier window has a visit to learn from, or all of them went alike.
        """
        import lightgbm

        lessons = [self._lesson(*each) for each in log.windows(self.horizon_days, self.n_windows, self.horizon_days)]
        if not lessons:
            raise DataError(nothing_to_learn(self.horizon_days))
        x, y = (np.concatenate(parts) for parts in zip(*lessons, strict=True))
        told = store_candidates(log, self.candidates)
        if y.min() == y.max():
            raise DataError("every customer went to every candidate store, or to none: there is nothing to tell apart")
        settings = tree_settings(self) | {"objective": "binary"}
        trees = lightgbm.train(settings, lightgbm.Dataset(x, y), self.trees)
        self.chances_ = self._told(trees, told, log)  # (U, S)
        return self

    def _told(self, trees: Any, told: StoreCandidates, log: StoreLog) -> sparse.csr_array:
        features, store = told.features[: log.n_users], told.store[: log.n_users]
        said = np.asarray(trees.predict(features.reshape(-1, features.shape[2]), num_threads=1))
        row = np.repeat(np.arange(log.n_users), store.shape[1])
        return sparse.csr_array((said, (row, store.reshape(-1))), shape=(log.n_users, log.n_stores))

    def _lesson(self, past: StoreLog, asked: VisitQueries) -> tuple[np.ndarray, np.ndarray]:
        """Features of the candidates of customers known by then, and whether they went there."""
        told, seen = store_candidates(past, self.candidates), np.unique(past.visits.row)
        went = visited(asked, past.n_users, past.n_stores)[seen[:, None], told.store[seen]]
        return told.features[seen].reshape(-1, told.features.shape[2]), went.reshape(-1).astype(np.float32)


def visited(asked: VisitQueries, n_users: int, n_stores: int) -> np.ndarray:
    """True where a known customer visited a known store; shape (U, S)."""
    row, store = asked.visits.row, asked.visits.store
    there = (row >= 0) & (store >= 0)
    went = np.zeros((n_users, n_stores), dtype=bool)
    went[row[there], store[there]] = True
    return went
