"""Customers simulated from the models, to test that fitting recovers the parameters."""

import numpy as np
import pandas as pd

from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.gamma_gamma import GammaGamma


def simulated(buying: BGNBD, spending: GammaGamma, age: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Draw each customer's purchases between the first and the cutoff.

    Args:
        buying: with the true parameters.
        spending: with the true parameters.
        age: time from the first purchase to the cutoff, in alpha's unit; shape (N,).
        rng: to draw with.

    Returns:
        The columns of ``views.recency_frequency`` but for ``user_id``.
    """
    r, alpha, a, b = buying.theta_
    p, q, v = spending.theta_
    n = len(age)
    frequency, recency = _purchases(rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), age, rng)
    scale = rng.gamma(q, 1 / v, n)
    total = rng.gamma(np.maximum(p * frequency, p), 1 / scale)  # a sum of x gammas is a gamma
    mean_value = np.where(frequency > 0, total / np.maximum(frequency, 1), np.nan)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "age": age, "mean_value": mean_value})


def _purchases(
    rate: np.ndarray, leaving: np.ndarray, age: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and recency, drawn purchase by purchase until each customer leaves or the cutoff comes; both (N,)."""
    frequency, recency = np.zeros(len(age), dtype=np.int64), np.zeros(len(age))
    active = np.arange(len(age))
    while len(active):
        # a rate that underflows to 0 never buys
        next_time = recency[active] + rng.exponential(size=len(active)) / np.maximum(rate[active], 1e-300)
        comes = next_time <= age[active]
        active, next_time = active[comes], next_time[comes]
        frequency[active] += 1
        recency[active] = next_time
        active = active[rng.random(len(active)) >= leaving[active]]
    return frequency, recency
