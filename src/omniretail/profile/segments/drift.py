"""Drift between two cutoffs: feature by feature, and in the embedding as a whole."""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omniretail.core.errors import SettingsError
from omniretail.profile.segments.effect_sizes import is_number
from omniretail.profile.segments.scaling import checked

MODERATE, LARGE = 0.1, 0.25
"""Population stability indices from which a shift is called moderate and large."""
DRIFT = ("feature", "psi", "reading", "chance", "first", "second", "unknown_first", "unknown_second")
"""Columns of ``drift``."""


def drift(first: pd.DataFrame, second: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Population stability index of each feature between two windows, the largest first.

    Args:
        first: the window that bins are made from; a row per customer, a column per feature.
        second: the other window; customers may differ, columns may not.
        bins: of a number; see ``psi``.

    Returns:
        ``DRIFT``: ``reading`` is the common one of the index (below 0.1 stable, to 0.25 moderate, above it large;
        Siddiqi, "Credit risk scorecards", 2006); ``chance`` is the value that 1 in 20 features exceeds without any
        drift, given the sizes of the windows (Yurdakul and Naranjo, "Statistical properties of the population stability
        index", Journal of Risk Model Validation 2020); then the features' means (NaN for categories) and their shares
        of missing values.

    Raises:
        SettingsError: where a feature is missing in one of the windows, or a window has no customers.
    """
    lacking = [f"{name} is missing in the second window" for name in first.columns.difference(second.columns)]
    lacking += [f"{name} is missing in the first window" for name in second.columns.difference(first.columns)]
    if lacking:
        raise SettingsError("; ".join(lacking))
    if first.empty or second.empty:
        raise SettingsError(f"both windows need customers and features; {len(first):,} and {len(second):,} customers")
    pairs = zip(first.items(), second[list(first)].items(), strict=True)
    rows = [_drift_of(name, column, now, bins) for (name, column), (_, now) in pairs]
    return pd.DataFrame(rows, columns=list(DRIFT)).sort_values("psi", ascending=False, kind="stable", ignore_index=True)


def psi(first: pd.Series | np.ndarray, second: pd.Series | np.ndarray, bins: int = 10) -> float:
    """Population stability index: the sum over bins of (share now - share then) log(share now / share then).

    The symmetrised Kullback-Leibler divergence. Bins of a number are quantiles of the first window; a value so frequent
    that it is a quantile twice has a bin of its own, and so have missing values. Each value of a category is a bin.
    Half a customer is added to every bin that is not empty in both windows (Jeffreys' prior), so that the index stays
    finite where a bin is empty in one window.

    Args:
        first: the feature in the window that bins are made from.
        second: the feature in the other window.
        bins: quantiles.

    Returns:
        0 where the windows are the same; unbounded above.

    >>> psi(np.arange(1000), np.arange(1000))
    0.0
    """
    return _index(*_counts(pd.Series(first), pd.Series(second), bins))


def domain_auc(
    first: np.ndarray,
    second: np.ndarray,
    first_ids: np.ndarray,
    second_ids: np.ndarray,
    n_folds: int = 5,
    seed: int = 0,
) -> float:
    """How well a logistic regression separates the windows by the embeddings of customers it was not trained on.

    Area under the ROC curve, a mean over folds: 0.5 where the windows cannot be separated, 1 where every customer's
    window can be predicted. A customer's embeddings of both windows are in one fold. Lopez-Paz and Oquab, "Revisiting
    classifier two-sample tests", ICLR 2017.

    Args:
        first: embeddings in the first window; shape (N, D).
        second: embeddings in the second; shape (M, D).
        first_ids: whose they are; shape (N,).
        second_ids: whose they are; shape (M,).
        n_folds: fewer are made where customers are fewer.
        seed: of the folds.

    Raises:
        SettingsError: where a window has fewer than two customers, or a value is not finite.
    """
    points = np.concatenate([checked(first), checked(second)])
    window = np.repeat([0, 1], [len(first), len(second)])
    customers = pd.factorize(np.concatenate([first_ids, second_ids]))[0]
    folds = min(n_folds, *(len(np.unique(customers[window == side])) for side in (0, 1)))
    if folds < 2:
        raise SettingsError("a classifier between the windows needs two customers or more in each")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    scores = [_auc(points, window, *split) for split in splitter.split(points, window, customers)]
    return float(np.nanmean(scores))


def _auc(points: np.ndarray, window: np.ndarray, training: np.ndarray, test: np.ndarray) -> float:
    if min(len(np.unique(window[training])), len(np.unique(window[test]))) < 2:
        return np.nan
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.1))
    scores = model.fit(points[training], window[training]).decision_function(points[test])
    return float(roc_auc_score(window[test], scores))


def _drift_of(name: object, first: pd.Series, second: pd.Series, bins: int) -> tuple:
    then, now = _counts(first, second, bins)
    index, used = _index(then, now), int(((then + now) > 0).sum())
    chance = stats.chi2.ppf(0.95, used - 1) * (1 / len(first) + 1 / len(second)) if used > 1 else 0.0
    reading = "stable" if index < MODERATE else "moderate" if index <= LARGE else "large"
    means = [float(each.mean()) if is_number(each) else np.nan for each in (first, second)]
    return name, index, reading, chance, *means, first.isna().mean(), second.isna().mean()


def _index(then: np.ndarray, now: np.ndarray) -> float:
    used = then + now > 0
    p, q = ((counts[used] + 0.5) / (counts[used] + 0.5).sum() for counts in (then, now))
    return float(((q - p) * np.log(q / p)).sum())


def _counts(first: pd.Series, second: pd.Series, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Customers per bin in the first and the second window; the last bin is for missing values."""
    if is_number(first) and is_number(second):
        return _counts_of_numbers(_floats(first), _floats(second), bins)
    codes = pd.factorize(pd.concat([first, second]).astype(object))[0]
    n = codes.max(initial=-1) + 1
    then, now = (np.bincount(np.where(side < 0, n, side), minlength=n + 1) for side in np.split(codes, [len(first)]))
    return then, now


def _counts_of_numbers(first: np.ndarray, second: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    present = first[~np.isnan(first)]
    edges = _edges(present, bins) if len(present) else np.zeros(0)
    sides = [
        np.where(np.isnan(side), len(edges) + 1, np.searchsorted(edges, side, "right")) for side in (first, second)
    ]
    return np.bincount(sides[0], minlength=len(edges) + 2), np.bincount(sides[1], minlength=len(edges) + 2)


def _floats(column: pd.Series) -> np.ndarray:
    return column.to_numpy(np.float64, na_value=np.nan)


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Bin i is the half-open interval from edge i - 1 to edge i; a frequent value's ends right after it."""
    quantiles, times = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)), return_counts=True)
    frequent = quantiles[times > 1]
    inner = quantiles[(times == 1) & (quantiles > values.min()) & (quantiles < values.max())]
    return np.unique(np.concatenate([inner, frequent, np.nextafter(frequent, np.inf)]))
