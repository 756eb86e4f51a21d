"""The number of segments: the largest that a second sample reproduces."""

from collections.abc import Mapping

import numpy as np
from sklearn.metrics.cluster import contingency_matrix

from omniretail.core.progress import progress
from omniretail.profile.segments.mixtures import Method, fit_mixture

_N_SPLITS = 5
_MAX_CUSTOMERS = 4_000


def prediction_strengths(points: np.ndarray, lowest: int, highest: int, method: Method, seed: int) -> dict[int, float]:
    """The prediction strength of each number of segments.

    Customers are halved and each half is clustered. Of all pairs of customers in one cluster of the second half, the
    share that the first half's clusters put together too; the strength is the worst cluster's share, a mean over five
    halvings, and 1 where another sample gives the same segments. Tibshirani and Walther, "Cluster validation by
    prediction strength", Journal of Computational and Graphical Statistics 2005.

    Args:
        points: standardised; shape (N, D). Of more than 4,000 customers a sample is used.
        lowest: smallest number of segments.
        highest: largest number; numbers above half the customers have no strength.
        method: see ``fit_mixture``.
        seed: of the sample, the halves and the fits.
    """
    rng = np.random.default_rng(seed)
    sample = points[rng.permutation(len(points))[:_MAX_CUSTOMERS]]
    halves = [np.array_split(rng.permutation(len(sample)), 2) for _ in range(_N_SPLITS)]
    numbers = range(lowest, min(highest, len(sample) // 2) + 1)
    tried = progress(numbers, "numbers of segments tried")
    return {n: float(np.mean([_strength(sample[a], sample[b], n, method, seed) for a, b in halves])) for n in tried}


def best_number(strengths: Mapping[int, float], min_strength: float) -> int:
    """The largest number that is strong enough, as the authors advise; where none is, the strongest.

    >>> best_number({2: 0.9, 3: 0.85, 4: 0.4}, min_strength=0.8)
    3
    >>> best_number({2: 0.3, 3: 0.5, 4: 0.4}, min_strength=0.8)
    3
    """
    strong = [n for n, strength in strengths.items() if strength >= min_strength]
    return max(strong) if strong else max(strengths, key=lambda n: strengths[n])


def _strength(first: np.ndarray, second: np.ndarray, n: int, method: Method, seed: int) -> float:
    own = fit_mixture(second, n, method, seed).nearest(second)
    other = fit_mixture(first, n, method, seed).nearest(second)
    counts = contingency_matrix(own, other)  # a row per cluster of the second half
    size = counts.sum(axis=1)
    pairs, shared = size * (size - 1), (counts * (counts - 1)).sum(axis=1)
    return float((shared[pairs > 0] / pairs[pairs > 0]).min(initial=1.0))
