"""VisitProbability: the chance that a customer visits a store within the next weeks."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least
from omniretail.core.errors import SettingsError
from omniretail.models.lightgbm_params import boosters, lightgbm_params, require_lightgbm_params, trained_text
from omniretail.models.stores.boosted_choice import no_window_to_learn_from
from omniretail.models.stores.candidates import store_candidates
from omniretail.models.stores.popular import popularity
from omniretail.schema import DataError
from omniretail.views.stores.visit_log import StoreLog, VisitQueries

_LEAST = 1e-6  # of popularity, beside the chances


@dataclass(eq=False)
class VisitProbability:
    """Boosted trees over a customer and a candidate store, learned from whether earlier windows held such a visit.

    Unlike ``BoostedChoice`` it models that a customer may not come at all, or visit several stores; the expected visits
    of an allocation are a sum of such chances.

    Args:
        horizon_days: length of a window.
        n_windows: windows to learn from, one after the other.
        candidates: stores per customer; the chance of any other counts as 0.
        n_estimators: trees.
        num_leaves: of each tree, at most.
        learning_rate: of boosting.
        min_child_samples: rows in a leaf.
        colsample_bytree: share of features drawn for each tree.
        reg_lambda: L2 penalty on leaves.
        seed: of all draws.
    """

    horizon_days: float = 28
    n_windows: int = 6
    candidates: int = 12
    n_estimators: int = 100
    num_leaves: int = 15
    learning_rate: float = 0.05
    min_child_samples: int = 100
    colsample_bytree: float = 0.7
    reg_lambda: float = 5.0
    seed: int = 1

    def __post_init__(self) -> None:
        above(self, "horizon_days")
        at_least(self, "n_windows", "candidates", low=1)
        require_lightgbm_params(self)

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``.

        Raises:
            DataError: where no earlier window has a visit to learn from, or nothing to tell visits from others.
        """
        windows = [self._rows(*each) for each in log.windows(self.horizon_days, self.n_windows, self.horizon_days)]
        if not windows:
            raise DataError(no_window_to_learn_from(self.horizon_days))
        x, y = (np.concatenate(parts) for parts in zip(*windows, strict=True))
        if y.min() == y.max():
            raise DataError("every customer went to every candidate store, or to none: there is nothing to tell apart")
        (booster,) = boosters([trained_text(lightgbm_params(self, "binary"), x, y, self.n_estimators)])
        candidates = store_candidates(log, self.candidates)
        features, store = candidates.features[: log.n_users], candidates.store[: log.n_users]
        chances = booster.predict(features.reshape(-1, features.shape[2]), num_threads=1)
        row = np.repeat(np.arange(log.n_users), store.shape[1])
        self.chances_ = sparse.csr_array((chances, (row, store.reshape(-1))), shape=(log.n_users, log.n_stores))
        self.popularity_ = popularity(log)
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """The chance of a visit within the window, then popularity; see ``StoreModel``."""
        row = queries.visits.row
        chances = self.chances_[np.maximum(row, 0)].toarray() if len(row) else np.zeros((0, len(self.popularity_)))
        return (np.where((row >= 0)[:, None], chances, 0) + _LEAST * self.popularity_).astype(np.float32)

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``.

        Raises:
            SettingsError: where the model has learned from windows of another length.
        """
        if horizon_days != self.horizon_days:
            raise SettingsError(
                f"VisitProbability learned from windows of {self.horizon_days:g} days and the horizon is "
                f"{horizon_days:g}; set model.horizon_days={horizon_days:g}"
            )
        return self.chances_

    def _rows(self, past: StoreLog, visits: VisitQueries) -> tuple[np.ndarray, np.ndarray]:
        """Features of the candidates of customers with an earlier visit, and whether the customers went there."""
        candidates, users = store_candidates(past, self.candidates), np.unique(past.visits.row)
        went = visited(visits, past.n_users, past.n_stores)[users[:, None], candidates.store[users]]
        return candidates.features[users].reshape(-1, candidates.features.shape[2]), went.reshape(-1).astype(np.float32)


def visited(queries: VisitQueries, n_users: int, n_stores: int) -> np.ndarray:
    """True where a customer of the log visits one of its stores; shape (U, S)."""
    row, store = queries.visits.row, queries.visits.store
    numbered = (row >= 0) & (store >= 0)
    went = np.zeros((n_users, n_stores), dtype=bool)
    went[row[numbered], store[numbered]] = True
    return went
