"""BoostedChoice: a conditional logit of stores whose utilities are boosted trees."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from omniretail.models.stores.baselines import PopularStore
from omniretail.models.stores.candidates import StoreCandidates, store_candidates
from omniretail.models.stores.lightgbm_params import tree_settings
from omniretail.models.stores.time_features import clock_features
from omniretail.schema import DataError
from omniretail.views.stores.visit_log import StoreLog, VisitQueries

_BLOCK = 20_000  # questions whose features are laid out at a time
_LEAST = 1e-4  # chance of all stores that are no candidates together


class BoostedChoice:
    """The chance of a store among the customer's candidates is proportional to ``exp(trees(features))``.

    Conditional logit (McFadden, 1974) with trees for utilities, boosted on the gradient of its likelihood, one ensemble
    for visits whose moment is given and one for those whose moment is not. Trees learn from the visits of earlier
    windows, each customer of a window weighing the same, with what was known when their window began. What the
    candidates leave goes to all other stores by popularity.

    Args:
        horizon_days: length of a window.
        n_windows: learned from.
        step_days: between the starts of windows.
        candidates: stores per customer.
        trees: of each ensemble.
        leaves: of each tree, at most.
        learning_rate: of boosting.
        min_rows: in a leaf; a row is a candidate.
        columns_share: of features drawn for each tree.
        l2: penalty on leaves.
        max_visits: learned from; more are drawn at random.
        seed: of all draws.
    """

    def __init__(
        self,
        horizon_days: float = 28,
        n_windows: int = 6,
        step_days: float = 28,
        candidates: int = 12,
        trees: int = 80,
        leaves: int = 15,
        learning_rate: float = 0.1,
        min_rows: int = 100,
        columns_share: float = 0.7,
        l2: float = 5.0,
        max_visits: int = 200_000,
        seed: int = 1,
    ) -> None:
        self.horizon_days = horizon_days
        self.n_windows = n_windows
        self.step_days = step_days
        self.candidates = candidates
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_rows = min_rows
        self.columns_share = columns_share
        self.l2 = l2
        self.max_visits = max_visits
        self.seed = seed

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``.

        Raises:
            DataError: where no earlier window has a visit to learn from.
        """
        self.log_, self.known_ = log, store_candidates(log, self.candidates)
        self.popular_ = PopularStore().fit(log).popularity_ + 1e-9  # (S,)
        windows = list(self._windows(log))
        if not windows:
            raise DataError(nothing_to_learn(self.horizon_days))
        self.elsewhere_ = _missed([hit for *_, hit in windows], [_weights(asked) for _, _, asked, _ in windows])
        self.trees_text_ = np.array([self._learned(windows, timed) for timed in (False, True)])
        self._trees: list[Any] = []
        return self

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """The chance of each store; see ``StoreModel``. Rows sum to one."""
        import lightgbm

        if not getattr(self, "_trees", None):
            self._trees = [lightgbm.Booster(model_str=str(text)) if text else None for text in self.trees_text_]
        chances = np.tile(self.popular_.astype(np.float32), (len(asked), 1))
        for start in range(0, len(asked), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(asked)))
            self._fill(chances[rows[0] : rows[-1] + 1], asked.keep(rows), self._trees[int(timed)], timed)
        return chances

    def _fill(self, chances: np.ndarray, asked: VisitQueries, trees: Any, timed: bool) -> None:
        store = self.known_.store[asked.visits.row]  # (Q, K)
        x = _features(self.log_, self.known_, asked, timed)
        pull = np.zeros(store.shape)
        if trees is not None:
            pull = trees.predict(x.reshape(-1, x.shape[2]), num_threads=1).reshape(store.shape)
        np.put_along_axis(chances, store, 0.0, axis=1)
        left = chances.sum(axis=1, keepdims=True)
        chances *= np.where(left > 0, self.elsewhere_ / np.maximum(left, 1e-30), 0)
        np.put_along_axis(chances, store, _softmax(pull) * np.where(left > 0, 1 - self.elsewhere_, 1.0), axis=1)

    def _windows(self, log: StoreLog) -> Iterator[tuple[StoreLog, StoreCandidates, VisitQueries, np.ndarray]]:
        """What was known when each earlier window began, the visits in it, and which candidate each went to."""
        rng = np.random.default_rng(self.seed)
        most = max(1, self.max_visits // self.n_windows)
        for past, made in log.windows(self.horizon_days, self.n_windows, self.step_days):
            drawn = np.sort(rng.choice(len(made), most, replace=False)) if len(made) > most else np.arange(len(made))
            asked = made.keep(drawn)
            told = store_candidates(past, self.candidates)
            hit = told.store[asked.visits.row] == asked.visits.store[:, None]
            if hit.any():
                yield past, told, asked, hit

    def _learned(self, windows: list[tuple[StoreLog, StoreCandidates, VisitQueries, np.ndarray]], timed: bool) -> str:
        if windows[0][3].shape[1] == 1:
            return ""  # one candidate is no choice
        import lightgbm

        x = np.concatenate([_features(past, told, asked, timed)[hit.any(axis=1)] for past, told, asked, hit in windows])
        hit = np.concatenate([each[each.any(axis=1)] for *_, each in windows])  # (N, K)
        weight = np.concatenate([_weights(asked)[each.any(axis=1)] for _, _, asked, each in windows])[:, None]

        def slopes(pull: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
            chance = _softmax(pull.reshape(hit.shape))
            curve = 2 * np.maximum(chance * (1 - chance), 1e-6)
            return ((chance - hit) * weight).reshape(-1), (curve * weight).reshape(-1)

        data = lightgbm.Dataset(x.reshape(-1, x.shape[2]), hit.reshape(-1).astype(np.float32))
        return lightgbm.train(tree_settings(self) | {"objective": slopes}, data, self.trees).model_to_string()


def nothing_to_learn(horizon_days: float) -> str:
    """The sentence for a log that is too short."""
    return f"no window of {horizon_days:g} days has visits in it and before it; choose a smaller model.horizon_days"


def _features(past: StoreLog, told: StoreCandidates, asked: VisitQueries, timed: bool) -> np.ndarray:
    """Of each question's candidates; shape (Q, K, F)."""
    habits = told.features[asked.visits.row]
    return np.concatenate([habits, clock_features(past, told, asked)], axis=2) if timed else habits


def _weights(asked: VisitQueries) -> np.ndarray:
    """One for each customer, shared by their visits; shape (Q,)."""
    _, which, count = np.unique(asked.who, return_inverse=True, return_counts=True)
    return 1 / count[which]


def _missed(hits: list[np.ndarray], weights: list[np.ndarray]) -> float:
    """Share of visits that went to no candidate; never quite none."""
    hit, weight = np.concatenate([each.any(axis=1) for each in hits]), np.concatenate(weights)
    return max(float((weight * ~hit).sum() / weight.sum()), _LEAST)


def _softmax(pull: np.ndarray) -> np.ndarray:
    powers = np.exp(pull - pull.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
