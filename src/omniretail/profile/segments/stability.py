"""Whether segments are found again: with another seed, in another sample, at another time."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from omniretail.profile.segments.clustering import Segments, assign, fixed_segments

STABLE, DOUBTFUL = 0.75, 0.6
"""Hennig's reading of ``sample_stability``: above the first a segment is stable, below the second it is not to be
trusted."""


@dataclass(frozen=True)
class TimeStability:
    """Adjusted Rand indices between the same customers' segments at two moments; 1 is no move, 0 is chance.

    Attributes:
        assigned: segments of the first moment, to which customers are assigned anew at the second.
        refitted: segments made anew at the second moment.
    """

    assigned: float
    refitted: float


def seed_stability(segments: Segments, embeddings: np.ndarray, n_seeds: int = 5) -> float:
    """Mean pairwise adjusted Rand index of as many segments fitted with other seeds; 1 where seeds do not matter.

    Hubert and Arabie, "Comparing partitions", Journal of Classification 1985.

    Args:
        segments: from ``fit_segments``.
        embeddings: that they were made from; shape (N, D).
        n_seeds: at least 2.
    """
    labels = [_again(segments, embeddings, seed).labels for seed in range(n_seeds)]
    return float(np.mean([adjusted_rand_score(a, b) for a, b in combinations(labels, 2)]))


def sample_stability(segments: Segments, embeddings: np.ndarray, n_samples: int = 10, seed: int = 0) -> np.ndarray:
    """How much of each segment is found again in a bootstrap sample of the customers.

    The Jaccard similarity between the segment and the one most like it among those fitted to the sample, to which all
    customers are then assigned; a mean over samples. Hennig, "Cluster-wise assessment of cluster stability",
    Computational Statistics and Data Analysis 2007.

    Args:
        segments: from ``fit_segments``.
        embeddings: that they were made from; shape (N, D).
        n_samples: drawn with replacement.
        seed: of the samples.

    Returns:
        In [0, 1]; shape (K,).
    """
    rng, found = np.random.default_rng(seed), []
    for number in range(n_samples):
        sample = embeddings[rng.integers(len(embeddings), size=len(embeddings))]
        found.append(_best_match(segments.labels, assign(_again(segments, sample, number), embeddings)))
    return np.mean(found, axis=0)


def time_stability(segments: Segments, later: np.ndarray, seed: int = 0) -> TimeStability:
    """Whether customers stay together between two moments.

    Args:
        segments: of the first moment.
        later: the same customers' embeddings at the second, in the same order; shape (N, D).
        seed: of the segments made anew.

    Raises:
        ValueError: where there are not as many customers as at the first moment.
    """
    if len(later) != len(segments.labels):
        raise ValueError(f"{len(segments.labels):,} customers at the first moment and {len(later):,} at the second")
    return TimeStability(
        assigned=float(adjusted_rand_score(segments.labels, assign(segments, later))),
        refitted=float(adjusted_rand_score(segments.labels, _again(segments, later, seed).labels)),
    )


def _again(segments: Segments, embeddings: np.ndarray, seed: int) -> Segments:
    return fixed_segments(embeddings, segments.n_sought, segments.method, segments.smallest, seed)


def _best_match(labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each segment the largest Jaccard similarity with one of the others; shape (K,)."""
    a, b = (values[:, None] == np.arange(1, values.max() + 1) for values in (labels, others))
    both = a.T.astype(np.float64) @ b
    return (both / (a.sum(0)[:, None] + b.sum(0) - both)).max(axis=1)
