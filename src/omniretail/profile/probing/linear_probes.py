"""Linear probes: logistic regression for classes, ridge regression for amounts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from omniretail.metrics.classification import auc


@dataclass(frozen=True)
class FittedLogistic:
    """What ``LogisticProbe`` learned.

    Attributes:
        mean: of the embeddings; shape (D,).
        scale: standard deviation of the embeddings, 1 where they are constant; shape (D,).
        weights: the last row is the intercept; shape (D + 1, T).
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Probabilities for embeddings (M, D); shape (M, T)."""
        return expit(_logits(((x - self.mean) / self.scale).astype(np.float32), self.weights))


@dataclass(frozen=True)
class LogisticProbe:
    """Logistic regression on standardised embeddings; the penalty is chosen on a random fifth of the customers.

    One penalty serves all columns of labels, so that rare classes share the choice with frequent ones. All columns are
    fitted in one optimisation; scikit-learn's estimator takes them one by one and is several times slower.

    Attributes:
        penalties: on the squared weights, per customer; from the strongest to the weakest.
    """

    penalties: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> FittedLogistic:
        """See ``Probe``."""
        spread = x.std(axis=0)
        mean, scale = x.mean(axis=0), np.where(spread > 0, spread, 1.0)
        x = ((x - mean) / scale).astype(np.float32)
        penalty, start = self._best(x, y, np.random.default_rng(seed).random(len(x)) < 0.2)
        return FittedLogistic(mean, scale, _fit_logistic(x, y, penalty, start))

    def _best(self, x: np.ndarray, y: np.ndarray, inner: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty with the highest mean AUC on the inner validation customers, and its weights."""
        best, penalty, best_weights = -1.0, self.penalties[-1], np.zeros((x.shape[1] + 1, y.shape[1]))
        weights = None
        for each in self.penalties:  # each fit starts at the solution of the stronger penalty before it
            weights = _fit_logistic(x[~inner], y[~inner], each, weights)
            score = np.nan_to_num(auc(y[inner], _logits(x[inner], weights)), nan=0.5).mean()
            if score > best:
                best, penalty, best_weights = score, each, weights
        return penalty, best_weights


_LARGEST_LOG = 300.0
"""Of a predicted amount: where few customers are learned from, others may lie far outside, and e^710 is no number."""


@dataclass(frozen=True)
class RidgeProbe:
    """Ridge regression on the logarithm of an amount; the penalty by leave-one-out."""

    penalties: tuple[float, ...] = (1e1, 1e2, 1e3, 1e4)

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
        """See ``Probe``."""
        from sklearn.linear_model import RidgeCV  # here and below: a service imports this file and fits nothing
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        fitted = make_pipeline(StandardScaler(), RidgeCV(alphas=self.penalties))
        fitted.fit(x, np.log1p(np.maximum(y[:, 0], 0.0)))
        return lambda new: np.expm1(np.clip(fitted.predict(new), 0.0, _LARGEST_LOG))[:, None]


def _fit_logistic(x: np.ndarray, y: np.ndarray, penalty: float, start: np.ndarray | None) -> np.ndarray:
    """Weights of T independent regressions, by L-BFGS on all together; the last row is the intercept; (D + 1, T)."""
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

    options = {"maxiter": 60, "ftol": 1e-6, "gtol": 1e-5}
    solution = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return solution.x.reshape(-1, t)


def _logits(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return x @ weights[:-1].astype(x.dtype) + weights[-1].astype(x.dtype)
