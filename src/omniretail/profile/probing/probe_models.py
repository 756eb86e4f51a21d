"""The small models that question an embedding: one linear, one of trees; many questions at once."""

from dataclasses import dataclass
from typing import Protocol

import lightgbm
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from omniretail.metrics.classification import auc


class Probe(Protocol):
    """Learns from one set of customers and answers for another."""

    def __call__(self, x: np.ndarray, y: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
        """Scores for the customers asked about.

        Args:
            x: embeddings to learn from; shape (N, D).
            y: answers, one column per question; shape (N, T).
            asked: embeddings to answer for; shape (M, D).
            seed: of everything random.

        Returns:
            Probabilities, or amounts; shape (M, T).
        """
        ...


@dataclass(frozen=True)
class Linear:
    """What ``Logistic`` learned.

    Attributes:
        mean: of the embeddings learned from; shape (D,).
        spread: of theirs, 1 where they are all alike; shape (D,).
        weights: the last row the bias; shape (D + 1, T).
    """

    mean: np.ndarray
    spread: np.ndarray
    weights: np.ndarray

    def __call__(self, asked: np.ndarray) -> np.ndarray:
        """Probabilities for embeddings (M, D); shape (M, T)."""
        return expit(_logits(((asked - self.mean) / self.spread).astype(np.float32), self.weights))


@dataclass(frozen=True)
class Forest:
    """What ``Trees`` learned: a model of LightGBM for each question; amounts as their logarithm."""

    boosters: tuple[lightgbm.Booster, ...]
    amount: bool = False

    def __call__(self, asked: np.ndarray) -> np.ndarray:
        """Probabilities or amounts for embeddings (M, D); shape (M, T)."""
        answers = np.stack([np.asarray(each.predict(asked, num_threads=1)) for each in self.boosters], axis=1)
        return np.expm1(np.maximum(answers, 0.0)) if self.amount else answers


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised embeddings, its penalty chosen on a fifth of the customers learned from.

    One penalty serves all columns of a question, so that a word few people buy borrows from the others.

    Args:
        penalties: on the squared weights, per customer, to choose from; the strongest first.
    """

    penalties: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)

    def __call__(self, x: np.ndarray, y: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
        """See ``Probe``."""
        return self.fit(x, y, seed)(asked)

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> Linear:
        """Learn; see ``Probe``."""
        mean, spread = _mean_and_spread(x)
        x = ((x - mean) / spread).astype(np.float32)
        inner = np.random.default_rng(seed).random(len(x)) < 0.2
        best, weights = -1.0, np.zeros((x.shape[1] + 1, y.shape[1]))
        penalty, weights_now = self.penalties[-1], None
        for each in self.penalties:  # from strong to weak, each starting where the one before ended
            weights_now = _logistic(x[~inner], y[~inner], each, weights_now)
            judged = np.nan_to_num(auc(y[inner], _logits(x[inner], weights_now)), nan=0.5).mean()
            if judged > best:
                best, penalty, weights = judged, each, weights_now
        return Linear(mean, spread, _logistic(x, y, penalty, weights))


@dataclass(frozen=True)
class Ridge:
    """Ridge regression on the logarithm of an amount; the penalty by leave-one-out."""

    penalties: tuple[float, ...] = (1e1, 1e2, 1e3, 1e4)

    def __call__(self, x: np.ndarray, y: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
        """See ``Probe``."""
        from sklearn.linear_model import RidgeCV

        x, asked = standardised(x, asked)
        fitted = RidgeCV(alphas=self.penalties).fit(x, np.log1p(np.maximum(y[:, 0], 0.0)))
        return np.expm1(np.maximum(fitted.predict(asked), 0.0))[:, None]


@dataclass(frozen=True)
class Trees:
    """LightGBM (Ke et al., NeurIPS 2017), one model per question.

    Args:
        objective: ``binary`` or ``regression``; an amount is learned as its logarithm.
        n_trees: of each model.
        learning_rate: of each tree.
        leaves: of each tree.
    """

    objective: str = "binary"
    n_trees: int = 80
    learning_rate: float = 0.05
    leaves: int = 8

    def __call__(self, x: np.ndarray, y: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
        """See ``Probe``."""
        return self.fit(x, y, seed)(asked)

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> Forest:
        """Learn; see ``Probe``."""
        return Forest(tuple(self._one(x, column, seed) for column in y.T), self.objective == "regression")

    def _one(self, x: np.ndarray, y: np.ndarray, seed: int) -> lightgbm.Booster:
        amount = self.objective == "regression"
        settings = {
            "objective": self.objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 20,
            "feature_fraction": 0.3,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(
            x, np.log1p(np.maximum(y, 0.0)) if amount else y, params={"max_bin": 63, "verbosity": -1}
        )
        return lightgbm.train(settings, data, num_boost_round=self.n_trees)


def standardised(x: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """All with the mean and spread of the first."""
    mean, spread = _mean_and_spread(x)
    return tuple((each - mean) / spread for each in (x, *others))


def _mean_and_spread(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = x.std(axis=0)
    return x.mean(axis=0), np.where(spread > 0, spread, 1.0)


def _logistic(x: np.ndarray, y: np.ndarray, penalty: float, start: np.ndarray | None) -> np.ndarray:
    """Weights, the last row the bias, of T independent regressions, by L-BFGS on all together; shape (D + 1, T)."""
    n, t = len(x), y.shape[1]
    y = y.astype(np.float32)
    if start is None:
        rate = np.clip(y.mean(axis=0), 1e-6, 1 - 1e-6)
        start = np.concatenate([np.zeros((x.shape[1], t)), np.log(rate / (1 - rate))[None]])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(-1, t).astype(np.float32)  # single precision is enough for a probe, and twice as fast
        z = _logits(x, w)
        error = (expit(z) - y) / n
        value = (np.logaddexp(np.float32(0), z) - y * z).sum(dtype=np.float64) / n
        gradient = np.concatenate([x.T @ error + penalty * w[:-1], error.sum(axis=0)[None]])
        return value + penalty / 2 * float((w[:-1] ** 2).sum(dtype=np.float64)), gradient.ravel().astype(np.float64)

    found = minimize(
        loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-6, "gtol": 1e-5}
    )
    return found.x.reshape(-1, t)


def _logits(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return x @ weights[:-1].astype(x.dtype) + weights[-1].astype(x.dtype)
