"""Metrics of binary classifiers: ranking, and calibration of probabilities."""

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score


def auc(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each column: the chance that a one is scored above a zero, ties counting half.

    One ranking serves all columns, which is much faster than scikit-learn column by column.

    Args:
        truth: 0 or 1; shape (N, T).
        scores: higher is likelier; shape (N, T).

    Returns:
        Shape (T,), NaN where a column has ones only, or zeros only.

    >>> auc(np.array([[0], [1], [1]]), np.array([[0.1], [0.1], [0.9]]))
    array([0.75])
    """
    ones = truth.sum(axis=0)
    zeros = len(truth) - ones
    ranks = (stats.rankdata(scores, axis=0) * truth).sum(axis=0)
    pairs = ones * zeros
    return np.divide(ranks - ones * (ones + 1) / 2, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)


def brier(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared difference between the outcome (0 or 1) and its probability."""
    return float(np.mean((probability - truth) ** 2))


def log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean negative log-likelihood of the outcomes, nats."""
    return float(log_losses(truth, probability).mean())


def log_losses(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Negative log-likelihood of each outcome, nats; shape (N,)."""
    return -np.log(np.clip(np.where(truth > 0, probability, 1 - probability), 1e-12, 1.0))


def expected_calibration_error(truth: np.ndarray, probability: np.ndarray, n_bins: int = 10) -> float:
    """Mean distance between predicted probability and observed share, over bins of equal size.

    Bins hold equal numbers rather than equal widths (Nixon et al., "Measuring Calibration in Deep Learning", 2019), so
    that a rare event does not fall into one bin. Equal probabilities share a bin, as in ``equal_size_bins``.

    Args:
        truth: 0 or 1; shape (N,).
        probability: in [0, 1]; shape (N,).
        n_bins: of equal size.

    >>> expected_calibration_error(np.array([0, 0, 1, 1]), np.full(4, 0.5))
    0.0
    """
    bins = equal_size_bins(probability, n_bins)
    gaps = [len(each) * abs(probability[each].mean() - truth[each].mean()) for each in bins if len(each)]
    return float(sum(gaps) / len(truth))


def equal_size_bins(values: np.ndarray, n_bins: int) -> list[np.ndarray]:
    """Rows in bins of equal size, the lowest values first.

    Equal values share a bin, that of their middle row, so that the order of rows does not matter; bins then differ in
    size, and there may be fewer.

    Args:
        values: shape (N,).
        n_bins: fewer where there are fewer values.

    Returns:
        Row indices of each bin.

    >>> [each.tolist() for each in equal_size_bins(np.array([0.3, 0.1, 0.2, 0.1]), 2)]
    [[1, 3], [2, 0]]
    >>> [each.tolist() for each in equal_size_bins(np.array([0.3, 0.1, 0.1, 0.1]), 2)]
    [[1, 2, 3], [0]]
    """
    order = np.argsort(values, kind="stable")
    if not len(values):
        return [order]
    starts = np.flatnonzero(np.append(True, np.diff(values[order]) != 0))  # of equal values
    sizes = np.diff(np.append(starts, len(values)))
    bins = np.array_split(np.arange(len(values)), min(n_bins, len(values)))
    of_row = np.repeat(np.arange(len(bins)), [len(each) for each in bins])
    of_value = of_row[starts + (sizes - 1) // 2]
    return np.split(order, starts[1:][np.diff(of_value) != 0])


def average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean precision at the rank of each positive; equal scores share the precision after the last of them.

    Args:
        truth: 0 or 1; shape (N,).
        scores: higher is likelier; shape (N,).

    Returns:
        In [0, 1]; NaN where there is no positive.

    >>> average_precision(np.array([1, 0, 1]), np.array([0.9, 0.5, 0.1])).__round__(3)
    0.833
    """
    return float(average_precision_score(truth, scores)) if truth.any() else float("nan")


def auc_per_group(truth: np.ndarray, scores: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Area under the ROC curve inside each group.

    Args:
        truth: 0 or 1; shape (N,).
        scores: higher is likelier; shape (N,).
        group: indices from 0; shape (N,).

    Returns:
        One value per group, NaN where it has ones only, zeros only or no rows; shape (G,).

    >>> auc_per_group(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.9]), np.array([0, 0, 1]))
    array([ 1., nan])
    """
    each = [group == number for number in range(int(group.max(initial=-1)) + 1)]
    return np.array([auc(truth[part, None], scores[part, None])[0] for part in each])
