"""Confidence intervals of means over users, and tests of the difference between models."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

ALPHA = 0.05
"""Differences with a smaller p-value are called significant."""

_BATCH = 100  # resamples drawn at a time, which bounds memory to 100 float64 per user


def bootstrap_interval(
    values: np.ndarray, confidence: float = 0.95, n_resamples: int = 2000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap interval of the mean over users.

    Users are drawn with replacement, a whole row at a time, so that columns (models, metrics) share their resamples.
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        values: one row per user, NaN where there is none; shape (U,) or (U, M).
        confidence: of the interval.
        n_resamples: more make the ends more precise.
        seed: the same seed gives the same interval.

    Returns:
        Low and high ends, NaN for a column without values; both of shape () or (M,).

    >>> low, high = bootstrap_interval(np.array([0.0, 1.0] * 200))
    >>> bool(0.44 < low < 0.5 < high < 0.56)
    True
    """
    columns = values.reshape(len(values), -1)
    present = ~np.isnan(columns)
    usable = present.any(axis=0)
    ends = np.full((2, columns.shape[1]), np.nan)
    if usable.any():
        means = _resampled_means(columns[:, usable], present[:, usable], n_resamples, np.random.default_rng(seed))
        tail = (1 - confidence) / 2
        ends[:, usable] = np.nanquantile(means, [tail, 1 - tail], axis=0)
    low, high = ends.reshape(2, *values.shape[1:])
    return low, high


def _resampled_means(values: np.ndarray, present: np.ndarray, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    filled, weight = np.where(present, values, 0.0), present.astype(float)
    complete = bool(present.all())
    means = []
    for start in range(0, n_resamples, _BATCH):
        drawn = _draws(len(values), min(_BATCH, n_resamples - start), rng)  # (batch, U)
        total = drawn @ filled
        count = np.full_like(total, len(values)) if complete else drawn @ weight
        means.append(np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0))
    return np.concatenate(means)


def _draws(n_users: int, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Number of times that each resample holds each user; a product with these is far cheaper than indexing."""
    drawn = np.empty((n_resamples, n_users))
    for row in drawn:
        row[:] = np.bincount(rng.integers(n_users, size=n_users), minlength=n_users)
    return drawn


def paired_test(a: pd.Series, b: pd.Series) -> float:
    """p-value of the two-sided paired t-test that two models differ in their mean over users.

    Users are matched by id; a user without a value in either is left out. The t-test agrees with the permutation test
    and the bootstrap, while the Wilcoxon and sign tests test another hypothesis (Smucker, Allan and Carterette, "A
    comparison of statistical significance tests for information retrieval evaluation", CIKM 2007); its error rate is
    nominal and its power the highest among them (Urbano, Lima and Hanjalic, SIGIR 2019).

    Args:
        a: one model's value per user, indexed by user.
        b: the other's.

    Returns:
        In [0, 1]; 1 where the values are identical or fewer than two users have both.

    >>> paired_test(pd.Series([0.1, 0.2, 0.3]), pd.Series([0.1, 0.2, 0.3]))
    1.0
    """
    difference = (a - b).dropna().to_numpy()
    if len(difference) < 2 or not difference.any():
        return 1.0
    mean = difference.mean()
    if np.abs(difference - mean).max() <= 1e-12 * abs(mean):  # constant but for rounding, of which SciPy warns
        return 0.0
    result: Any = stats.ttest_1samp(difference, 0.0)
    return float(result.pvalue)


def bootstrap_test(gap: np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """p-values of the two-sided test that differences are zero, from their standard deviation over resamples.

    It is the normal approximation to the paired bootstrap, for metrics that are no mean over users.

    Args:
        gap: the observed differences; shape (M,).
        resampled: the same on users drawn with replacement, NaN where a resample has none; shape (M, R).

    Returns:
        In [0, 1]; 1 where there is no difference or no standard deviation, NaN where the difference is NaN; shape (M,).

    >>> bootstrap_test(np.array([0.0, 1.96]), np.array([[-1.0, 0.0, 1.0]] * 2)).round(3)
    array([1.  , 0.05])
    """
    spread = pd.DataFrame(resampled).std(axis=1).fillna(np.inf).to_numpy()
    return 2 * stats.norm.sf(np.divide(np.abs(gap), spread, out=np.where(gap == 0, 0.0, np.inf), where=spread > 0))


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values adjusted for multiple tests.

    Under the null hypotheses the probability that any of them falls below alpha is at most alpha. Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
