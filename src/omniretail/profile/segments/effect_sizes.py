"""What distinguishes each segment from all other customers, in features that people can read."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

NUMBERS = ("segment", "feature", "mean", "mean_others", "d")
"""Columns of ``effect_sizes``."""
CATEGORIES = ("segment", "feature", "value", "share", "share_others", "lift", "h")
"""Columns of ``lifts``."""


def is_number(column: pd.Series) -> bool:
    """Whether a feature is compared by its mean; the others are compared value by value."""
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def effect_sizes(
    profile: pd.DataFrame, labels: np.ndarray, top: int = 8, min_customers: int = 20, max_correlation: float = 0.8
) -> pd.DataFrame:
    """For each segment the numbers in which it differs most from all other customers.

    The measure is Cohen's d, the difference of the means in pooled standard deviations (Cohen, "Statistical power
    analysis for the behavioral sciences", 1988: 0.2 small, 0.5 medium, 0.8 large). Missing values are left out. It is a
    description and no test: segments are made so that they differ.

    Args:
        profile: a row per customer, a column per feature, in its own unit; shape (N, F).
        labels: each customer's segment; shape (N,).
        top: features per segment.
        min_customers: with a value, both in the segment and outside it; features that fewer have are not described.
        max_correlation: a feature whose absolute correlation with a better one exceeds this is left out as redundant.

    Returns:
        ``NUMBERS``: means in the feature's unit, ``d`` above 0 where the segment has more, infinite where neither side
        varies. By segment, largest difference first; features that do not differ at all are left out.

    Raises:
        ValueError: where there are not as many customers as labels.
    """
    _same_length(profile, labels)
    columns = [name for name, column in profile.items() if is_number(column)]
    values = profile[columns].to_numpy(np.float64, na_value=np.nan)
    correlations = _correlations(values)
    parts = []
    for segment in np.unique(labels):
        means, others, d = _compared(values, labels == segment, min_customers)
        chosen = _distinct(d, correlations > max_correlation, top)
        names = [columns[place] for place in chosen]
        shown = (segment, names, means[chosen], others[chosen], d[chosen])
        parts.append(pd.DataFrame(dict(zip(NUMBERS, shown, strict=True))))
    return _concatenated(parts, NUMBERS)


def lifts(
    profile: pd.DataFrame, labels: np.ndarray, top: int = 5, min_customers: int = 20, min_h: float = 0.1
) -> pd.DataFrame:
    """For each segment the values of categorical features that are most over- or under-represented.

    Values are ordered by Cohen's h, twice the difference of the arcsines of the shares' roots, which unlike the lift
    does not favour rare values and is read like d.

    Args:
        profile: a row per customer; numeric columns are passed over, of flags only True is described; missing values
            are left out; shape (N, F).
        labels: each customer's segment; shape (N,).
        top: values per segment.
        min_customers: who have the value, and with a known one both in the segment and outside it.
        min_h: values with a smaller absolute h are left out.

    Returns:
        ``CATEGORIES``: ``lift`` is the share in the segment over the share of all others, infinite where none of them
        has it.

    Raises:
        ValueError: where there are not as many customers as labels.
    """
    _same_length(profile, labels)
    columns = [column for _, column in profile.items() if not is_number(column)]
    parts = []
    for segment in np.unique(labels):
        by_column = [_shares(column, labels == segment, min_customers, min_h) for column in columns]
        rows = _concatenated(by_column, CATEGORIES[1:])
        best = rows.sort_values("h", key=abs, ascending=False, kind="stable").head(top)
        best.insert(0, "segment", segment)
        parts.append(best)
    return _concatenated(parts, CATEGORIES)


def _compared(values: np.ndarray, inside: np.ndarray, min_customers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean inside, mean outside and Cohen's d of each feature; 0 where too few have a value."""
    n_in, mean_in, squares_in = _mean_and_squares(values[inside])
    n_out, mean_out, squares_out = _mean_and_squares(values[~inside])
    pooled = np.sqrt((squares_in + squares_out) / np.maximum(n_in + n_out - 2, 1))
    gap = mean_in - mean_out
    gap[np.abs(gap) <= 1e-12 * np.maximum(np.abs(mean_in), np.abs(mean_out))] = 0.0  # differences by rounding
    infinite = np.where(gap == 0, 0.0, np.copysign(np.inf, gap))
    d = np.divide(gap, pooled, out=infinite, where=pooled > 1e-12 * np.abs(gap))
    d[np.minimum(n_in, n_out) < max(min_customers, 2)] = 0.0
    return mean_in, mean_out, d


def _distinct(d: np.ndarray, redundant: np.ndarray, top: int) -> list[int]:
    """The features with the largest differences, none redundant with one before it."""
    chosen: list[int] = []
    for place in np.argsort(-np.abs(d), kind="stable"):
        if d[place] == 0 or len(chosen) == top:
            break
        if not redundant[place, chosen].any():
            chosen.append(int(place))
    return chosen


def _correlations(values: np.ndarray) -> np.ndarray:
    """Absolute correlations between features, missing values replaced by the mean; shape (F, F)."""
    _, mean, squares = _mean_and_squares(values)
    centred = np.where(np.isfinite(values), values - mean, 0.0)
    scaled = centred / np.sqrt(np.where(squares > 0, squares, 1.0))
    return np.abs(scaled.T @ scaled)


def _mean_and_squares(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per column: number of finite values, their mean, and their summed squared distance from it."""
    finite = np.isfinite(values)
    n = finite.sum(axis=0)
    mean = np.where(finite, values, 0.0).sum(axis=0) / np.maximum(n, 1)
    return n, mean, (np.where(finite, values - mean, 0.0) ** 2).sum(axis=0)


def _shares(column: pd.Series, inside: np.ndarray, min_customers: int, min_h: float) -> pd.DataFrame:
    present = np.asarray(column.notna())
    n_in, n_out = (present & inside).sum(), (present & ~inside).sum()
    if min(n_in, n_out) < max(min_customers, 1):
        return pd.DataFrame(columns=CATEGORIES[1:])
    table = pd.crosstab(np.asarray(column[present].astype(str)), inside[present])
    table = table.reindex(columns=[True, False], fill_value=0)
    table = table.loc[table.sum(axis=1) >= min_customers]
    if is_bool_dtype(column):
        table = table.loc[table.index == "True"]  # False is the complement
    share, others = np.asarray(table[True]) / n_in, np.asarray(table[False]) / n_out
    lift = np.divide(share, others, out=np.full(len(table), np.inf), where=others > 0)
    h = 2 * np.arcsin(np.sqrt(share)) - 2 * np.arcsin(np.sqrt(others))
    rows = (column.name, table.index, share, others, lift, h)
    return pd.DataFrame(dict(zip(CATEGORIES[1:], rows, strict=True))).loc[(np.abs(h) >= min_h) & (h != 0)]


def _concatenated(parts: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def _same_length(profile: pd.DataFrame, labels: np.ndarray) -> None:
    if len(profile) != len(labels):
        raise ValueError(f"the profile has {len(profile):,} customers, and {len(labels):,} have a segment")
