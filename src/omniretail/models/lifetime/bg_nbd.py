"""BG/NBD: how often customers buy who may leave without notice (Fader, Hardie and Lee, Marketing Science 2005)."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import betaincinv, digamma, expit, gammaln, hyp2f1

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.models.lifetime.customers import buying, counted
from omniretail.models.lifetime.fitting import maximise

NAMES = ("r", "alpha", "a", "b")
_WHY = "the customers hardly differ in how fast they buy or how soon they leave, or none seems to leave"

_NODES = 256


@dataclass(eq=False)
class BGNBD:
    """Each customer buys as a Poisson process at their own rate and, after each purchase, leaves with their own chance.

    "Counting your customers the easy way: an alternative to the Pareto/NBD model". Rates are Gamma(r, alpha), alpha in
    the unit of time; probabilities of leaving are Beta(a, b). A customer without a repeat purchase cannot have left,
    since customers leave after a repeat purchase only.

    Attributes:
        penalty: on large and small parameters, per customer (see ``fitting.maximise``); 0: plain maximum likelihood.
    """

    penalty: float = 0.0

    def __post_init__(self) -> None:
        at_least(self, "penalty")

    @classmethod
    def of(cls, r: float, alpha: float, a: float, b: float) -> Self:
        """The model with known parameters."""
        model = cls()
        model.theta_ = np.array([r, alpha, a, b], dtype=np.float64)
        return model

    def fit(self, customers: pd.DataFrame) -> Self:
        """Learn the four parameters.

        Args:
            customers: ``frequency``, ``recency`` and ``age`` as ``views.recency_frequency`` has them.

        Raises:
            NotConvergedError: where the customers do not determine the parameters.
            SettingsError: where their numbers cannot be, or nobody bought a second time.
        """
        x, t_x, age = buying(customers)
        if not (x > 0).any():
            raise SettingsError(f"none of {len(x):,} customers bought a second time; cut later or take more customers")
        unit = age.mean()  # so that alpha is near 1 whether the unit is a day or a year
        rows, counts = counted(x, t_x / unit, age / unit)
        likelihood = _Likelihood(*rows.T, weight=counts / counts.sum())
        scale = np.array([1.0, unit, 1.0, 1.0])
        self.theta_ = maximise(likelihood, NAMES, self.penalty, _WHY) * scale  # (4,)
        return self

    @property
    def parameters_(self) -> dict[str, float]:
        """By the paper's names."""
        return dict(zip(NAMES, self.theta_.tolist(), strict=True))

    def log_likelihood(self, customers: pd.DataFrame) -> np.ndarray:
        """Of each customer's purchases (the paper's equation 6); shape (N,)."""
        x, t_x, age = buying(customers)
        r, alpha, a, b = self.theta_
        stayed = -(r + x) * np.log(alpha + age)
        left = np.where(x > 0, np.log(a) - np.log(_before_last(b, x)) - (r + x) * np.log(alpha + t_x), -np.inf)
        return _of_frequency(self.theta_, x) + np.logaddexp(stayed, left)

    def p_alive(self, customers: pd.DataFrame) -> np.ndarray:
        """Probability that a customer has not left; 1 for those without a repeat purchase; shape (N,)."""
        return expit(-self._log_odds_of_having_left(*buying(customers)))

    def expected_purchases(self, customers: pd.DataFrame, horizon: float) -> np.ndarray:
        """Purchases within ``horizon`` units of time from the cutoff (the paper's equation 10); shape (N,)."""
        x, t_x, age = buying(customers)
        alive = expit(-self._log_odds_of_having_left(x, t_x, age))
        return alive * _while_alive(self.theta_, x, age, horizon)

    def _log_odds_of_having_left(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        r, alpha, a, b = self.theta_
        odds = np.log(a) - np.log(_before_last(b, x)) + (r + x) * (np.log(alpha + age) - np.log(alpha + t_x))
        return np.where(x > 0, odds, -np.inf)


class _Likelihood:
    """Mean log-likelihood and its gradient; the gamma functions see each frequency once."""

    def __init__(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, weight: np.ndarray) -> None:
        self.x, self.t_x, self.age, self.weight = x, t_x, age, weight
        self.frequencies, which = np.unique(x, return_inverse=True)
        self.share = np.bincount(which, weight)  # of customers with each frequency

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = parameters
        x, n = self.x, self.frequencies
        log_age, log_recency = np.log(alpha + self.age), np.log(alpha + self.t_x)
        stayed = -(r + x) * log_age
        left = np.where(x > 0, np.log(a) - np.log(_before_last(b, x)) - (r + x) * log_recency, -np.inf)
        has_left = expit(left - stayed)
        value = self.share @ _of_frequency(parameters, n) + self.weight @ np.logaddexp(stayed, left)
        share_left, gone = self.weight @ has_left, digamma(a + b) - digamma(a + b + n)
        waiting = self.weight @ (log_age + has_left * (log_recency - log_age))
        pace = (r + x) * ((1 - has_left) / (alpha + self.age) + has_left / (alpha + self.t_x))
        gradient = [
            self.share @ (digamma(r + n) - digamma(r)) + np.log(alpha) - waiting,
            r / alpha - self.weight @ pace,
            self.share @ gone + share_left / a,
            self.share @ (gone + digamma(b + n) - digamma(b)) - self.weight @ (has_left / _before_last(b, x)),
        ]
        return float(value), np.array(gradient)


def _before_last(b: float, x: np.ndarray) -> np.ndarray:
    """``b + x - 1``, and 1 where there is no repeat purchase and it plays no part."""
    return np.where(x > 0, b + x - 1, 1.0)


def _of_frequency(parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Logarithm of the likelihood's factors that do not depend on time."""
    r, alpha, a, b = parameters
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    return rate + gammaln(a + b) - gammaln(b) + gammaln(b + x) - gammaln(a + b + x)


def _while_alive(parameters: np.ndarray, x: np.ndarray, age: np.ndarray, horizon: float) -> np.ndarray:
    """Expected purchases of a customer who has not left."""
    r, alpha, a, b = parameters
    if abs(a - 1) < 1e-4:  # 0 / 0 at a = 1, across which the function is smooth
        sides = [np.array([r, alpha, side, b]) for side in (1 - 2e-4, 1 + 2e-4)]
        return np.mean([_while_alive(each, x, age, horizon) for each in sides], axis=0)
    z = horizon / (alpha + age + horizon)
    with np.errstate(over="ignore", invalid="ignore"):
        # Euler's transformation of the paper's formula moves the frequency out of powers and numerators, where large
        # ones would give 0 times infinity.
        lost = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
    expected = (a + b + x - 1) / (a - 1) * (1 - lost)
    failed = ~np.isfinite(expected)  # large a or b
    expected[failed] = _integrated(parameters, x[failed], age[failed], horizon)
    return expected


def _integrated(parameters: np.ndarray, x: np.ndarray, age: np.ndarray, horizon: float) -> np.ndarray:
    """The same by numerical integration over the chance of leaving, Beta(a, b + x): less exact, always finite."""
    r, alpha, a, b = parameters
    frequencies, which = np.unique(x, return_inverse=True)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    total = np.zeros(len(x))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        leaving = np.maximum(betaincinv(a, b + frequencies, node), np.finfo(float).tiny)[which]
        total -= weight * np.expm1(-(r + x) * np.log1p(leaving * horizon / (alpha + age))) / leaving
    return total
