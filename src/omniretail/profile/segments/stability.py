"""Whether segments come back: with another seed, in another sample, at another time."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from omniretail.core.errors import SettingsError
from omniretail.core.progress import progress
from omniretail.profile.segments.clustering import Segments, assign, fixed_segments

STABLE, DOUBTFUL = 0.75, 0.6
"""Hennig's reading of ``sample_stability``: above the first a segment is stable, below the second not trustworthy."""


@dataclass(frozen=True)
class TimeStability:
    """Adjusted Rand indices between the same customers' segments at two cutoffs; 1 is no move, 0 is chance.

    Attributes:
        assigned: customers are assigned anew, at the later cutoff, to the segments of the earlier one.
        refitted: segments are fitted anew at the later cutoff.
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
    labels = [_refitted(segments, embeddings, seed).labels for seed in range(n_seeds)]
    return float(np.mean([adjusted_rand_score(a, b) for a, b in combinations(labels, 2)]))


def sample_stability(segments: Segments, embeddings: np.ndarray, n_samples: int = 10, seed: int = 0) -> np.ndarray:
    """How much of each segment comes back in bootstrap samples of the customers.

    The Jaccard similarity between the segment and the most similar one of those fitted to a sample, to which all
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
    rng, similarities = np.random.default_rng(seed), []
    for number in progress(range(n_samples), "samples of customers segmented"):
        sample = embeddings[rng.integers(len(embeddings), size=len(embeddings))]
        others = assign(_refitted(segments, sample, number), embeddings)
        similarities.append(_best_jaccard(segments.labels, others))
    return np.mean(similarities, axis=0)


def time_stability(segments: Segments, later: np.ndarray, seed: int = 0) -> TimeStability:
    """Whether customers stay together between two cutoffs.

    Args:
        segments: of the earlier cutoff.
        later: the same customers' embeddings at the later one, in the same order; shape (N, D).
        seed: of the segments fitted anew.

    Raises:
        SettingsError: where there are not as many customers as at the earlier cutoff.
    """
    if len(later) != len(segments.labels):
        raise SettingsError(
            f"{len(segments.labels):,} customers at the earlier cutoff and {len(later):,} at the later one"
        )
    return TimeStability(
        assigned=float(adjusted_rand_score(segments.labels, assign(segments, later))),
        refitted=float(adjusted_rand_score(segments.labels, _refitted(segments, later, seed).labels)),
    )


def _refitted(segments: Segments, embeddings: np.ndarray, seed: int) -> Segments:
    return fixed_segments(embeddings, segments.n_fitted, segments.method, segments.min_customers, seed)


def _best_jaccard(labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each segment the largest Jaccard similarity with one of the others; shape (K,)."""
    a, b = (values[:, None] == np.arange(1, values.max() + 1) for values in (labels, others))
    both = a.T.astype(np.float64) @ b
    return (both / (a.sum(0)[:, None] + b.sum(0) - both)).max(axis=1)
