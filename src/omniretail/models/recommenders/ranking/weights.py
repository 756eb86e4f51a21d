"""Weights of several scores by which lists are best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

_STEPS = (0.5, 0.25, 0.1, 0.05, 0.02)
_MAX_ROUNDS = 20
_LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class WeightExamples:
    """Candidates of U users.

    Attributes:
        x: scores of M members; shape (P, M).
        row: the user of each; shape (P,).
        taken: whether the user took it; shape (P,).
        n_taken: items that each user took, candidates or not; shape (U,).
    """

    x: np.ndarray
    row: np.ndarray
    taken: np.ndarray
    n_taken: np.ndarray

    def ndcg(self, weights: np.ndarray, k: int) -> float:
        """Mean NDCG@k of the lists by the weighted sum of scores, ties by place."""
        order = np.lexsort((-(self.x @ weights), self.row))
        row = self.row[order]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        hits = self.taken[order] & (place < k)
        gain = np.bincount(row[hits], 1 / np.log2(place[hits] + 2), len(self.n_taken))
        ideal = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(k) + 2))])[np.minimum(self.n_taken, k)]
        return float(np.mean(gain[ideal > 0] / ideal[ideal > 0])) if (ideal > 0).any() else 0.0


def best_weights(examples: Sequence[WeightExamples], n: int, k: int) -> np.ndarray:
    """Weights, none negative, that sum to one, with the best mean NDCG@k over all examples.

    From equal weights, and from each member alone, weight is moved to or from one member at a time, by smaller and
    smaller steps, as long as that helps; of equals the earlier start stays.

    Args:
        examples: none where there is nothing to learn from: all weigh the same.
        n: members, M.
        k: length of the lists.

    Returns:
        Shape (M,).
    """
    equal = np.full(n, 1 / n)
    if not examples:
        return equal

    def quality(weights: np.ndarray) -> float:
        return float(np.mean([each.ndcg(weights, k) for each in examples]))

    best, highest = equal, quality(equal)
    for start in (equal, *np.eye(n)):
        weights, value = _climbed(start, quality)
        if value > highest + _LEAST_GAIN:
            best, highest = weights, value
    return best


def _climbed(weights: np.ndarray, quality: Callable[[np.ndarray], float]) -> tuple[np.ndarray, float]:
    value = quality(weights)
    for step in _STEPS:
        for _ in range(_MAX_ROUNDS):
            moved = [_moved(weights, member, change) for member in range(len(weights)) for change in (step, -step)]
            values = [quality(each) for each in moved]
            place = int(np.argmax(values))
            if values[place] <= value + _LEAST_GAIN:
                break
            weights, value = moved[place], values[place]
    return weights, value


def _moved(weights: np.ndarray, member: int, change: float) -> np.ndarray:
    """One weight changed, none below zero, all divided by their sum; the same weights where nothing would be left."""
    moved = weights.copy()
    moved[member] = max(moved[member] + change, 0.0)
    return moved / moved.sum() if moved.sum() > 0 else weights
