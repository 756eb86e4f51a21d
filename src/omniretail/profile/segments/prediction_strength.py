"""How many segments there are: as many as a second sample would show again."""

from collections.abc import Mapping

import numpy as np
from sklearn.metrics.cluster import contingency_matrix

from omniretail.profile.segments.mixtures import Method, mixture

_SPLITS = 5
_SAMPLE = 4_000
"""Customers that are looked at, at most."""


def prediction_strengths(points: np.ndarray, lowest: int, highest: int, method: Method, seed: int) -> dict[int, float]:
    """The prediction strength of each number of segments.

    Customers are halved and each half is clustered. Of every two customers whom the second half's clusters put
    together, how many does the first half's clustering put together too? The worst cluster's share is the
    strength, a mean over five halvings: 1 where another sample gives the same segments. Tibshirani and Walther,
    "Cluster validation by prediction strength", Journal of Computational and Graphical Statistics 2005.

    Args:
        points: standardised; shape (N, D). Beyond 4,000 customers a sample speaks for all.
        lowest: smallest number of segments.
        highest: largest number; numbers above half the customers have no strength.
        method: see ``mixture``.
        seed: of the sample, the halves and the fits.
    """
    rng = np.random.default_rng(seed)
    sample = points[rng.permutation(len(points))[:_SAMPLE]]
    halves = [np.array_split(rng.permutation(len(sample)), 2) for _ in range(_SPLITS)]
    numbers = range(lowest, min(highest, len(sample) // 2) + 1)
    return {n: float(np.mean([_one(sample[a], sample[b], n, method, seed) for a, b in halves])) for n in numbers}


def strongest(strengths: Mapping[int, float], enough: float) -> int:
    """The largest number that is strong enough, as its authors advise; where none is, the strongest.

    >>> strongest({2: 0.9, 3: 0.85, 4: 0.4}, enough=0.8)
    3
    >>> strongest({2: 0.3, 3: 0.5, 4: 0.4}, enough=0.8)
    3
    """
    strong = [n for n, strength in strengths.items() if strength >= enough]
    return max(strong) if strong else max(strengths, key=lambda n: strengths[n])


def _one(learned: np.ndarray, asked: np.ndarray, n: int, method: Method, seed: int) -> float:
    own = mixture(asked, n, method, seed).nearest(asked)
    foreign = mixture(learned, n, method, seed).nearest(asked)
    together = contingency_matrix(own, foreign)  # a row per cluster of the second half
    size = together.sum(axis=1)
    pairs, kept = size * (size - 1), (together * (together - 1)).sum(axis=1)
    return float((kept[pairs > 0] / pairs[pairs > 0]).min(initial=1.0))
