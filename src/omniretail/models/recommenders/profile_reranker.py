"""ProfileReranker: another model's best items, reordered by the categories that the customer's profile predicts."""

import copy
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from omniretail.core.checks import above, at_least
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.tifu_knn import TIFUKNN
from omniretail.models.top_k import batches, top_k
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

_MEMORY_MB = 64
_DAY_S = 24 * 3600
_N_FOLDS = 5
_MAX_USERS = 20_000  # to learn from
_PENALTY = 1e-3
_MIN_VARIANCE = 1e-4
_BASE_ORDER = np.array([1.0, 0.0])
_BOUNDS = [(1e-3, None), (None, None)]  # the base's order is never reversed


@dataclass(eq=False)
class ProfileReranker:
    """Reorders candidates by a weighted sum of rank in the base's list and the customer's taste for their category.

    It learns from the last ``horizon_days`` before the cutoff, with base and encoder fitted on the events before them:

    1. Taste: a ridge regression predicts from the profile which values of ``level`` a customer buys in the window
       (linear probabilities); taste is the prediction minus all customers' share, in standard deviations.
    2. Two weights, of the rank (minus its logarithm) and of the taste for the item's value, are fitted so that what was
       bought is likely in a softmax over each user's candidates (ListNet, Cao et al., ICML 2007). These tastes are
       cross-fitted: they come from regressions on other users.

    Then the base is fitted again on all events. The encoder is not, because the regressions read its columns; it embeds
    histories as of the new cutoff. Items that are no candidates follow in the base's order. Where too few customers
    bought both before the window and in it, or the item table has no column ``level``, the base's order stays.

    Args:
        base: ranks the candidates first.
        encoder: computes the profile.
        level: column of the item table whose values are tastes.
        candidates: best items of the base that are reordered.
        horizon_days: length of the window.
        ridge: penalty of the regression on standardised columns, per customer.
    """

    base: Recommender = field(default_factory=TIFUKNN)
    encoder: ProfileEncoder = field(default_factory=CountSVD)
    level: str = "category"
    candidates: int = 50
    horizon_days: float = 28.0
    ridge: float = 3.0

    def __post_init__(self) -> None:
        at_least(self, "candidates", low=1)
        above(self, "horizon_days", "ridge")

    @property
    def label(self) -> str:
        """The name with its parts', such as ``ProfileReranker (TIFU-KNN, CountSVD)``."""
        base = getattr(self.base, "label", type(self.base).__name__)
        return f"ProfileReranker ({base}, {type(self.encoder).__name__})"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        names, _, value_level, item_values = item_attributes(train, [self.level])
        has_level = self.level in names
        self.item_value_ = item_values[:, 0] if has_level else np.full(len(train.items), -1)  # (I,)
        n_values = int(np.sum(value_level == 0)) if has_level else 0
        start = train.at - int(self.horizon_days * _DAY_S)
        early = train.histories.timestamp < start
        before = replace(train, histories=train.histories.keep(early), at=start)
        window = train.histories.keep(~early)
        learners = np.flatnonzero((before.histories.lengths > 0) & (window.lengths > 0))
        enough = len(learners) >= _N_FOLDS
        self._fit_encoder(before if enough else train)
        self.tastes_ = np.zeros((len(self.means_), n_values + 1))  # (D, W + 1), the last for items without a value
        self.weights_ = _BASE_ORDER
        if enough:
            self._learn(before, window, learners[:: 1 + len(learners) // _MAX_USERS])
        self.models_["base"] = copy.deepcopy(self.base).fit(train)
        self.at_ = np.array(train.at)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = self.models_["base"].score(users)
        items, best = top_k(scores, min(self.candidates, users.n_items))  # (B, N)
        taste = self._profiles(users, users.as_of(int(self.at_))) @ self.tastes_  # (B, W + 1)
        reranked = self._features(items, taste) @ self.weights_
        scores -= best[:, :1]  # at most 0: below every candidate
        positive = (1 + reranked - reranked.min(axis=1, keepdims=True)).astype(np.float32)
        np.put_along_axis(scores, items, positive, axis=1)
        return scores

    def _fit_encoder(self, train: Train) -> None:
        """Fit the encoder, and the means and scales of its columns."""
        self.models_: dict[str, Any] = {"encoder": copy.deepcopy(self.encoder).fit(train)}
        vectors = self.models_["encoder"].embed(train.histories, train.at)
        self.means_, self.scales_ = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)  # (D,)

    def _profiles(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        return (self.models_["encoder"].embed(users, at) - self.means_) / self.scales_  # (B, D)

    def _learn(self, before: Train, window: Histories, learners: np.ndarray) -> None:
        """Tastes and weights, from what these users bought in the window."""
        users, bought = before.histories.take(learners), binary_user_items(window.take(learners))  # (U, I)
        profiles, values = self._profiles(users, before.at), self._values_bought(bought)
        fold = np.arange(len(learners)) % _N_FOLDS
        taste = np.empty_like(values)
        for each in range(_N_FOLDS):
            taste[fold == each] = profiles[fold == each] @ self._slopes(profiles[fold != each], values[fold != each])
        self.tastes_ = self._slopes(profiles, values)
        base = copy.deepcopy(self.base).fit(before)
        features, hits = [], []
        for rows in batches(len(users), users.n_items, _MEMORY_MB):
            items, _ = top_k(base.score(users.take(rows)), min(self.candidates, users.n_items))
            features.append(self._features(items, taste[rows]))
            hits.append(_hits(items, bought[rows]))
        self.weights_ = _listwise(np.concatenate(features), np.concatenate(hits))

    def _values_bought(self, bought: sparse.csr_array) -> np.ndarray:
        """One where the user bought an item with the value; shape (U, W + 1)."""
        n_columns = self.tastes_.shape[1]
        place = (np.arange(len(self.item_value_)), self.item_value_ % n_columns)  # -1 is the last
        one_hot = sparse.csr_array((np.ones(len(place[0]), np.float32), place), shape=(len(place[0]), n_columns))
        return np.minimum(sparse.csr_array(bought @ one_hot).toarray(), 1)

    def _slopes(self, profiles: np.ndarray, values: np.ndarray) -> np.ndarray:
        """From profiles to each value's probability minus its share, in standard deviations; shape (D, W + 1)."""
        centred, share = profiles - profiles.mean(axis=0), values.mean(axis=0)
        gram = centred.T @ centred / len(centred) + self.ridge * np.eye(centred.shape[1])
        slopes = np.linalg.solve(gram, centred.T @ (values - share) / len(centred))
        slopes /= np.sqrt(np.maximum(share * (1 - share), _MIN_VARIANCE))
        slopes[:, -1] = 0
        return slopes

    def _features(self, items: np.ndarray, taste: np.ndarray) -> np.ndarray:
        """Rank and taste of each candidate; shape (B, N, 2)."""
        rank = np.broadcast_to(-np.log1p(np.arange(items.shape[1])), items.shape)
        return np.stack([rank, np.take_along_axis(taste, self.item_value_[items], axis=1)], axis=-1)


def _hits(items: np.ndarray, bought: sparse.csr_array) -> np.ndarray:
    """Whether each candidate was bought; shape (B, N)."""
    row = np.repeat(np.arange(len(items)), items.shape[1])
    return np.asarray(bought[row, items.ravel()]).reshape(items.shape) > 0


def _listwise(features: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Weights that minimise the cross-entropy of the hits in a softmax over each user's candidates; shape (2,)."""
    with_hits = hits.any(axis=1)
    x, y = features[with_hits], hits[with_hits] / hits[with_hits].sum(axis=1, keepdims=True)  # (U, N, 2), (U, N)
    if not len(x):
        return _BASE_ORDER

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_share = log_softmax(x @ weights, axis=1)
        slope = np.einsum("unf,un->f", x, np.exp(log_share) - y) / len(x)
        return -np.sum(y * log_share) / len(x) + _PENALTY / 2 * weights @ weights, slope + _PENALTY * weights

    return minimize(loss, _BASE_ORDER, jac=True, method="L-BFGS-B", bounds=_BOUNDS).x
