"""ProfileRescorer: another model's best items once more, in the light of who the customer is."""

import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.protocols import Recommender
from omniretail.models.top_k import batches, top_k
from omniretail.views.histories import Histories
from omniretail.views.item_words import item_words
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

_MEMORY_MB = 64
_DAY_S = 24 * 3600
_PARTS = 5
_AT_MOST = 20_000  # users to learn from
_PENALTY = 1e-3
_LEAST_VARIANCE = 1e-4
_AS_IT_WAS = np.array([1.0, 0.0])
_BOUNDS = [(1e-3, None), (None, None)]  # the base's order is never turned round


class ProfileReranker:
    """A weighted sum of an item's place in the base's list and of how much the customer should want its kind.

    The last ``horizon_days`` before the cutoff teach it, with base and encoder fitted on what lies before them:

    1. taste: a ridge regression predicts from the profile from which words of ``level`` a customer buys in the window
       (linear probabilities): how far above all customers' share, in standard deviations;
    2. two weights, of the place (minus its logarithm) and of the taste for the item's word, make what was bought likely
       in a softmax over each user's candidates (ListNet, Cao et al., ICML 2007). The tastes that they are learned from
       come from regressions on other users.

    Then the base is fitted again on everything; the encoder is kept, since the tastes speak its language, and asked
    from the new cutoff. Items that are no candidates follow in the base's order. Where nobody bought both before the
    window and in it, or ``level`` is no column of the item table, the base's order stays.

    Args:
        base: says what to choose from.
        encoder: gives the profile.
        level: column of the item table whose words are tastes.
        candidates: best items of the base that are put in a new order.
        horizon_days: length of the window.
        ridge: penalty of the regression on standardised columns, per customer.
    """

    def __init__(
        self,
        base: Recommender,
        encoder: ProfileEncoder,
        level: str = "category",
        candidates: int = 50,
        horizon_days: float = 28.0,
        ridge: float = 3.0,
    ) -> None:
        self.base = base
        self.encoder = encoder
        self.level = level
        self.candidates = candidates
        self.horizon_days = horizon_days
        self.ridge = ridge

    @property
    def label(self) -> str:
        """Tells the parts too, since they are what makes the model."""
        base = getattr(self.base, "label", type(self.base).__name__)
        return f"ProfileRescorer ({base}, {type(self.encoder).__name__})"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        names, _, word_level, item_word = item_words(train, [self.level])
        known = self.level in names
        self.item_word_ = item_word[:, 0] if known else np.full(len(train.items), -1)  # (I,)
        n_words = int(np.sum(word_level == 0)) if known else 0
        start = train.at - int(self.horizon_days * _DAY_S)
        early = train.histories.timestamp < start
        before = replace(train, histories=train.histories.keep(early), at=start)
        window = train.histories.keep(~early)
        judged = np.flatnonzero((before.histories.lengths > 0) & (window.lengths > 0))
        taught = len(judged) >= _PARTS
        self._read_profiles(before if taught else train)
        self.tastes_ = np.zeros((len(self.means_), n_words + 1))  # (D, W + 1), the last for items without a word
        self.weights_ = _AS_IT_WAS
        if taught:
            self._learn(before, window, judged[:: 1 + len(judged) // _AT_MOST])
        self.models_["base"] = copy.deepcopy(self.base).fit(train)
        self.at_ = np.array(train.at)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = self.models_["base"].score(users)
        items, best = top_k(scores, min(self.candidates, users.n_items))  # (B, N)
        taste = self._profiles(users, int(self.at_)) @ self.tastes_  # (B, W + 1)
        again = self._features(items, taste) @ self.weights_
        scores -= best[:, :1]  # at most 0: below every candidate
        np.put_along_axis(scores, items, (1 + again - again.min(axis=1, keepdims=True)).astype(np.float32), axis=1)
        return scores

    def _read_profiles(self, train: Train) -> None:
        """Fit the encoder, and note how to bring its columns to one size."""
        self.models_: dict[str, Any] = {"encoder": copy.deepcopy(self.encoder).fit(train)}
        vectors = self.models_["encoder"].embed(train.histories, train.at)
        self.means_, self.scales_ = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)  # (D,)

    def _profiles(self, users: Histories, at: int) -> np.ndarray:
        return (self.models_["encoder"].embed(users, at) - self.means_) / self.scales_  # (B, D)

    def _learn(self, before: Train, window: Histories, judged: np.ndarray) -> None:
        """Tastes and weights, from what these users bought in the window."""
        users, bought = before.histories.take(judged), binary_user_items(window.take(judged))  # (U, I)
        profiles, wanted = self._profiles(users, before.at), self._words_of(bought)
        part = np.arange(len(judged)) % _PARTS
        taste = np.empty_like(wanted)
        for each in range(_PARTS):
            taste[part == each] = profiles[part == each] @ self._regressed(profiles[part != each], wanted[part != each])
        self.tastes_ = self._regressed(profiles, wanted)
        base = copy.deepcopy(self.base).fit(before)
        features, hits = [], []
        for rows in batches(len(users), users.n_items, _MEMORY_MB):
            items, _ = top_k(base.score(users.take(rows)), min(self.candidates, users.n_items))
            features.append(self._features(items, taste[rows]))
            hits.append(_found(items, bought[rows]))
        self.weights_ = _listwise(np.concatenate(features), np.concatenate(hits))

    def _words_of(self, bought: sparse.csr_array) -> np.ndarray:
        """One where something with the word was bought; shape (U, W + 1)."""
        n_columns = self.tastes_.shape[1]
        place = (np.arange(len(self.item_word_)), self.item_word_ % n_columns)  # -1 is the last
        said = sparse.csr_array((np.ones(len(place[0]), np.float32), place), shape=(len(place[0]), n_columns))
        return np.minimum(sparse.csr_array(bought @ said).toarray(), 1)

    def _regressed(self, profiles: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """From profiles to how far above all customers' share a word lies, in standard deviations; (D, W + 1)."""
        centred, share = profiles - profiles.mean(axis=0), wanted.mean(axis=0)
        gram = centred.T @ centred / len(centred) + self.ridge * np.eye(centred.shape[1])
        slopes = np.linalg.solve(gram, centred.T @ (wanted - share) / len(centred))
        slopes /= np.sqrt(np.maximum(share * (1 - share), _LEAST_VARIANCE))
        slopes[:, -1] = 0
        return slopes

    def _features(self, items: np.ndarray, taste: np.ndarray) -> np.ndarray:
        """Place and taste of each candidate; shape (B, N, 2)."""
        place = np.broadcast_to(-np.log1p(np.arange(items.shape[1])), items.shape)
        return np.stack([place, np.take_along_axis(taste, self.item_word_[items], axis=1)], axis=-1)


def _found(items: np.ndarray, bought: sparse.csr_array) -> np.ndarray:
    """Whether each candidate was bought; shape (B, N)."""
    row = np.repeat(np.arange(len(items)), items.shape[1])
    return np.asarray(bought[row, items.ravel()]).reshape(items.shape) > 0


def _listwise(features: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Weights under which the softmax over each user's candidates is nearest to what was bought; shape (2,)."""
    told = hits.any(axis=1)
    x, y = features[told], hits[told] / hits[told].sum(axis=1, keepdims=True)  # (U, N, 2), (U, N)
    if not len(x):
        return _AS_IT_WAS

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_share = log_softmax(x @ weights, axis=1)
        slope = np.einsum("unf,un->f", x, np.exp(log_share) - y) / len(x)
        return -np.sum(y * log_share) / len(x) + _PENALTY / 2 * weights @ weights, slope + _PENALTY * weights

    return minimize(loss, _AS_IT_WAS, jac=True, method="L-BFGS-B", bounds=_BOUNDS).x
