"""Customers who do what the models say, to see whether the models find it out."""

import numpy as np
import pandas as pd

from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.gamma_gamma import GammaGamma


def simulated(buying: BGNBD, spending: GammaGamma, age: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what each customer did between the first purchase and the cutoff.

    Args:
        buying: its parameters are the truth.
        spending: its parameters are the truth.
        age: time from the first purchase to the cutoff, in alpha's unit; shape (N,).
        rng: to draw with.

    Returns:
        The columns of ``views.recency_frequency`` but for ``user_id``.
    """
    r, alpha, a, b = buying.parameters_
    p, q, v = spending.parameters_
    n = len(age)
    frequency, recency = _purchases(rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), age, rng)
    scale = rng.gamma(q, 1 / v, n)
    total = rng.gamma(np.maximum(p * frequency, p), 1 / scale)  # a sum of x gammas is a gamma
    mean_value = np.where(frequency > 0, total / np.maximum(frequency, 1), np.nan)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "age": age, "mean_value": mean_value})


def _purchases(
    rate: np.ndarray, leaving: np.ndarray, age: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Purchase after purchase, of those who are still there and whose next one comes before the cutoff."""
    frequency, recency = np.zeros(len(age), dtype=np.int64), np.zeros(len(age))
    there = np.arange(len(age))
    while len(there):
        # a rate that underflows to 0 never buys
        next_time = recency[there] + rng.exponential(size=len(there)) / np.maximum(rate[there], 1e-300)
        comes = next_time <= age[there]
        there, next_time = there[comes], next_time[comes]
        frequency[there] += 1
        recency[there] = next_time
        there = there[rng.random(len(there)) >= leaving[there]]
    return frequency, recency
