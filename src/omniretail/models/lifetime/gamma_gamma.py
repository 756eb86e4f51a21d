"""Gamma-Gamma: how much a customer spends at a time (Fader and Hardie, 2013)."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import digamma, gammaln

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.models.lifetime.customers import counted, spending
from omniretail.models.lifetime.fitting import maximise

NAMES = ("p", "q", "v")
_WHY = "the customers hardly differ in what they spend at a time"


@dataclass(eq=False)
class GammaGamma:
    """Transactions are Gamma(p, nu) around a customer's own mean, and nu is Gamma(q, v) over customers.

    "The Gamma-Gamma model of monetary value", brucehardie.com/notes/025. It assumes that what a customer spends at a
    time is independent of how often they buy. v is in the currency.

    Attributes:
        penalty: on large and small parameters, per customer (see ``fitting.maximise``); 0: plain maximum likelihood.
    """

    penalty: float = 0.0

    def __post_init__(self) -> None:
        at_least(self, "penalty")

    @classmethod
    def of(cls, p: float, q: float, v: float) -> Self:
        """The model with known parameters."""
        model = cls()
        model.theta_ = np.array([p, q, v], dtype=np.float64)
        return model

    def fit(self, customers: pd.DataFrame) -> Self:
        """Learn the three parameters from those who bought again for more than nothing.

        Args:
            customers: ``frequency`` and ``mean_value`` as ``views.recency_frequency`` has them.

        Raises:
            NotConvergedError: where the customers do not determine the parameters.
            SettingsError: where there are none.
        """
        x, value = spending(customers)
        spent = value > 0
        if not spent.any():
            raise SettingsError(
                f"none of {len(x):,} customers has a repeat purchase of more than nothing; check the column 'value'"
            )
        unit = value[spent].mean()
        rows, counts = counted(x[spent], value[spent] / unit)
        likelihood = _Likelihood(*rows.T, weight=counts / counts.sum())
        self.theta_ = maximise(likelihood, NAMES, self.penalty, _WHY) * np.array([1.0, 1.0, unit])  # (3,)
        return self

    @property
    def parameters_(self) -> dict[str, float]:
        """By the paper's names."""
        return dict(zip(NAMES, self.theta_.tolist(), strict=True))

    def log_likelihood(self, customers: pd.DataFrame) -> np.ndarray:
        """Density of each customer's mean value (the note's equation 1); 0 where there is none; shape (N,)."""
        x, value = spending(customers)
        spent = value > 0
        densities = np.zeros(len(x))
        densities[spent] = _log_density(self.theta_, x[spent], value[spent])
        return densities

    def expected_value(self, customers: pd.DataFrame) -> np.ndarray:
        """Mean value of a transaction (the note's equation 5), currency; shape (N,).

        A customer without a repeat purchase gets the population's mean.

        Raises:
            SettingsError: where the population's mean is infinite.
        """
        p, q, v = self.theta_
        if q <= 1:
            raise SettingsError(
                f"q = {q:.2f}, so the population's mean value is infinite; cap 'value' or set a penalty such as 0.001"
            )
        x, value = spending(customers)
        return p * (v + x * value) / (p * x + q - 1)


class _Likelihood:
    """Mean log-likelihood and its gradient; the gamma functions see each frequency once."""

    def __init__(self, x: np.ndarray, value: np.ndarray, weight: np.ndarray) -> None:
        self.x, self.spent, self.weight = x, x * value, weight
        self.log_value = np.log(value)
        self.frequencies, which = np.unique(x, return_inverse=True)
        self.share = np.bincount(which, weight)

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        p, q, v = parameters
        x, n = self.x, self.frequencies
        log_total = np.log(v + self.spent)
        log_part = self.log_value + np.log(x) - log_total
        value = self.share @ (gammaln(p * n + q) - gammaln(p * n)) - gammaln(q) + q * np.log(v)
        value += self.weight @ (p * x * log_part - self.log_value - q * log_total)
        gradient = [
            self.share @ (n * (digamma(p * n + q) - digamma(p * n))) + self.weight @ (x * log_part),
            self.share @ digamma(p * n + q) - digamma(q) + np.log(v) - self.weight @ log_total,
            q / v - self.weight @ ((p * x + q) / (v + self.spent)),
        ]
        return float(value), np.array(gradient)


def _log_density(parameters: np.ndarray, x: np.ndarray, value: np.ndarray) -> np.ndarray:
    p, q, v = parameters
    gammas = gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
    own = (p * x - 1) * np.log(value) + p * x * np.log(x)
    return gammas + q * np.log(v) + own - (p * x + q) * np.log(v + x * value)
