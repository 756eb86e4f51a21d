"""BoostedChoice: a conditional logit of stores whose utilities are boosted trees."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least
from omniretail.models.lightgbm_params import Booster, boosters, lightgbm_params, require_lightgbm_params, trained_text
from omniretail.models.stores.candidates import StoreCandidates, store_candidates
from omniretail.models.stores.popular import popularity
from omniretail.models.stores.time_features import time_features
from omniretail.models.stores.within_horizon import habit_concentration, within_horizon
from omniretail.schema import DataError
from omniretail.views.stores.visit_log import StoreLog, VisitQueries
from omniretail.views.stores.visits import Visits

_BLOCK = 20_000  # queries whose features are laid out at a time
_LEAST = 1e-4  # chance of all stores together that are no candidates


@dataclass(eq=False)
class BoostedChoice:
    """The chance of a store among the customer's candidates is proportional to ``exp(trees(features))``.

    Conditional logit (McFadden, 1974) with trees for utilities, boosted on the gradient of its likelihood; one ensemble
    for visits whose time is known and one for those whose time is not. Trees learn from the visits of earlier windows,
    each customer of a window weighing the same, with features as of the start of their window. What the candidates
    leave goes to all other stores by popularity.

    Args:
        horizon_days: length of a window.
        n_windows: windows to learn from.
        step_days: between the starts of windows.
        candidates: stores per customer.
        n_estimators: trees of each ensemble.
        num_leaves: of each tree, at most.
        learning_rate: of boosting.
        min_child_samples: rows in a leaf; a row is a candidate.
        colsample_bytree: share of features drawn for each tree.
        reg_lambda: L2 penalty on leaves.
        max_visits: visits to learn from, the same number of each window; of more, some are drawn at random.
        seed: of all draws.
    """

    horizon_days: float = 28
    n_windows: int = 6
    step_days: float = 28
    candidates: int = 12
    n_estimators: int = 80
    num_leaves: int = 15
    learning_rate: float = 0.1
    min_child_samples: int = 100
    colsample_bytree: float = 0.7
    reg_lambda: float = 5.0
    max_visits: int = 200_000
    seed: int = 1

    def __post_init__(self) -> None:
        above(self, "horizon_days", "step_days")
        at_least(self, "n_windows", "candidates", "max_visits", low=1)
        require_lightgbm_params(self)

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``.

        Raises:
            DataError: where no earlier window has a visit to learn from.
        """
        self.visits_, self.candidates_ = dict(vars(log.visits)), dict(vars(store_candidates(log, self.candidates)))
        self.sizes_, self.zone_ = np.array([log.n_users, log.n_stores, log.at]), np.array(log.zone)
        self.popularity_ = popularity(log) + 1e-9  # (S,)
        windows = list(self._windows(log))
        if not windows:
            raise DataError(no_window_to_learn_from(self.horizon_days))
        self.elsewhere_ = np.array(_share_elsewhere(windows))
        self.models_text_ = np.array([self._trained(windows, timed) for timed in (False, True)])
        self._boosters: list[Booster | None] = []
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """The chance of each store; see ``StoreModel``. Rows sum to one."""
        chances = np.tile(self.popularity_.astype(np.float32), (len(queries), 1))
        for start in range(0, len(queries), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(queries)))
            self._fill(chances[rows[0] : rows[-1] + 1], queries.keep(rows), timed)
        return chances

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``; the model is fitted once more as of one horizon earlier (``habit_concentration``)."""
        return within_horizon(self, log, horizon_days, concentration=habit_concentration(self, log, horizon_days))

    def _fill(self, chances: np.ndarray, queries: VisitQueries, timed: bool) -> None:
        """Turn popularity (Q, S) into chances, in place."""
        candidates, elsewhere = StoreCandidates(**self.candidates_), float(self.elsewhere_)
        store = candidates.store[queries.visits.row]  # (Q, K)
        utility, booster = np.zeros(store.shape), self._booster(timed)
        if booster is not None:
            x = _features(self._log(), candidates, queries, timed)
            utility = booster.predict(x.reshape(-1, x.shape[2]), num_threads=1).reshape(store.shape)
        np.put_along_axis(chances, store, 0.0, axis=1)
        left = chances.sum(axis=1, keepdims=True)
        chances *= np.where(left > 0, elsewhere / np.maximum(left, 1e-30), 0)
        np.put_along_axis(chances, store, _softmax(utility) * np.where(left > 0, 1 - elsewhere, 1.0), axis=1)

    def _log(self) -> StoreLog:
        """Visits before the cutoff, as features of time read them."""
        n_users, n_stores, at = self.sizes_.tolist()
        return StoreLog(Visits(**self.visits_), n_users, n_stores, at, str(self.zone_))

    def _booster(self, timed: bool) -> Booster | None:
        """The trees; None where there is no choice."""
        if not getattr(self, "_boosters", None):  # fitted, or loaded from files
            self._boosters = [boosters([text])[0] if text else None for text in self.models_text_]
        return self._boosters[int(timed)]

    def _windows(self, log: StoreLog) -> Iterator["_Window"]:
        """Each earlier window with a visit to a candidate."""
        rng = np.random.default_rng(self.seed)
        most = max(1, self.max_visits // self.n_windows)
        for past, visits in log.windows(self.horizon_days, self.n_windows, self.step_days):
            n = len(visits)
            queries = visits.keep(np.sort(rng.choice(n, most, replace=False)) if n > most else np.arange(n))
            candidates = store_candidates(past, self.candidates)
            chosen = candidates.store[queries.visits.row] == queries.visits.store[:, None]
            if chosen.any():
                yield _Window(past, candidates, queries, chosen)

    def _trained(self, windows: list["_Window"], timed: bool) -> str:
        """The trees as text; empty where there is one candidate and so no choice."""
        if windows[0].chosen.shape[1] == 1:
            return ""
        x = np.concatenate([window.features(timed) for window in windows])  # (N, K, F)
        chosen = np.concatenate([window.chosen[window.inside] for window in windows])  # (N, K)
        weight = np.concatenate([window.weight[window.inside] for window in windows])[:, None]

        def gradient_and_hessian(utility: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
            chance = _softmax(utility.reshape(chosen.shape))
            hessian = 2 * np.maximum(chance * (1 - chance), 1e-6)
            return ((chance - chosen) * weight).reshape(-1), (hessian * weight).reshape(-1)

        params = lightgbm_params(self, gradient_and_hessian)
        labels = chosen.reshape(-1).astype(np.float32)
        return trained_text(params, x.reshape(-1, x.shape[2]), labels, self.n_estimators)


@dataclass(frozen=True)
class _Window:
    """Visits of an earlier window to learn from; ``chosen`` is True at the candidate visited, shape (Q, K)."""

    past: StoreLog
    candidates: StoreCandidates
    queries: VisitQueries
    chosen: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """True where the store visited is a candidate; shape (Q,)."""
        return np.asarray(self.chosen.any(axis=1))

    @property
    def weight(self) -> np.ndarray:
        """One for each customer, shared by their visits; shape (Q,)."""
        _, which, count = np.unique(self.queries.who, return_inverse=True, return_counts=True)
        return 1 / count[which]

    def features(self, timed: bool) -> np.ndarray:
        """Of the visits inside; shape (N, K, F)."""
        return _features(self.past, self.candidates, self.queries, timed)[self.inside]


def no_window_to_learn_from(horizon_days: float) -> str:
    """The sentence for a log that is too short."""
    return f"no window of {horizon_days:g} days has visits in it and before it; choose a smaller model.horizon_days"


def _features(past: StoreLog, candidates: StoreCandidates, queries: VisitQueries, timed: bool) -> np.ndarray:
    """Of each query's candidates; shape (Q, K, F)."""
    habits = candidates.features[queries.visits.row]
    return np.concatenate([habits, time_features(past, candidates, queries)], axis=2) if timed else habits


def _share_elsewhere(windows: list[_Window]) -> float:
    """Share of visits to stores that are no candidates; never quite 0."""
    inside = np.concatenate([window.inside for window in windows])
    weight = np.concatenate([window.weight for window in windows])
    return max(float((weight * ~inside).sum() / weight.sum()), _LEAST)


def _softmax(utility: np.ndarray) -> np.ndarray:
    powers = np.exp(utility - utility.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
