"""StoreChoice: how distance and size of a store change how often it is chosen."""

from typing import Self

import numpy as np

from omniretail.core.errors import SettingsError

_STEPS = 50
_TOLERANCE = 1e-10


class StoreChoice:
    """Conditional logit of stores (McFadden, 1974); with log size and distance, Huff's model of trade areas (1963).

    The probability of a store among the nearest ones is proportional to ``exp(attributes @ coefficients)``.
    """

    def fit(self, attributes: np.ndarray, visits: np.ndarray) -> Self:
        """Estimate the coefficients by maximum likelihood (Newton's method).

        Args:
            attributes: of the K nearest stores of each of N customers; shape (N, K, P).
            visits: of each customer to each; shape (N, K).

        Raises:
            SettingsError: where nobody has a choice, or attributes are collinear.
        """
        choosers = visits.sum(axis=1) > 0
        if not choosers.any() or visits.shape[1] < 2:
            raise SettingsError("store choice takes customers with visits and two stores or more to choose from")
        x, n = attributes[choosers].astype(np.float64), visits[choosers].astype(np.float64)
        beta = np.zeros(x.shape[2])
        for _ in range(_STEPS):
            gradient, information = _slopes(x, n, beta)
            if np.linalg.cond(information) > 1e12:
                raise SettingsError("an attribute is the same in all stores to choose from, or follows from the others")
            step = np.linalg.solve(information, gradient)
            beta = beta + np.clip(step, -5, 5)
            if np.abs(step).max() < _TOLERANCE:
                break
        self.coefficients_ = beta  # (P,)
        self.errors_ = np.sqrt(np.diag(np.linalg.inv(_slopes(x, n, beta)[1])))  # (P,), standard errors
        return self

    def predict_proba(self, attributes: np.ndarray) -> np.ndarray:
        """Probability of each store; rows of (N, K) sum to one."""
        return _probabilities(attributes.astype(np.float64), self.coefficients_)


def _probabilities(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
    pull = x @ beta
    pull = np.exp(pull - pull.max(axis=1, keepdims=True))
    return pull / pull.sum(axis=1, keepdims=True)


def _slopes(x: np.ndarray, n: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the log likelihood, and the information: minus its second derivative; (P,) and (P, P)."""
    probability = _probabilities(x, beta)
    total = n.sum(axis=1)
    mean = np.einsum("nk,nkp->np", probability, x)
    gradient = np.einsum("nk,nkp->p", n, x) - total @ mean
    deviation = x - mean[:, None]
    return gradient, np.einsum("nk,nkp,nkq->pq", total[:, None] * probability, deviation, deviation)
