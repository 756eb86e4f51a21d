"""Accuracy by the customer's activity: quantile groups of the history's length."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.metrics.significance import bootstrap_interval


@dataclass(frozen=True)
class Groups:
    """Customers grouped by activity, the least active first.

    Attributes:
        of: the group of each user, from 0; shape (U,).
        names: the range of events before the cutoff, e.g. ``4–9``.
        sizes: users per group.
    """

    of: np.ndarray
    names: list[str]
    sizes: list[int]


def groups(n_history: np.ndarray, n_groups: int = 5) -> Groups:
    """Groups of about equal size; users of equal activity stay together, so there may be fewer.

    >>> groups(np.array([0, 0, 1, 2, 3, 9]), n_groups=3).names
    ['0', '1–2', '3–9']
    """
    cuts = np.unique(np.quantile(n_history, np.arange(1, n_groups) / n_groups, method="inverted_cdf"))
    _, of = np.unique(np.searchsorted(cuts, n_history), return_inverse=True)
    members = [n_history[of == group] for group in range(of.max() + 1)]
    names = [_range(int(m.min()), int(m.max())) for m in members]
    return Groups(of, names, [len(m) for m in members])


def by_group(values: Mapping[str, np.ndarray], grouped: Groups) -> pd.DataFrame:
    """Mean and 95 % interval of each series in each group.

    Args:
        values: a value per user; shape (U,) each.
        grouped: the same users.

    Returns:
        Columns ``name``, ``group``, ``mean``, ``low``, ``high``.
    """
    table = np.column_stack(list(values.values()))
    parts = []
    for group in range(len(grouped.names)):
        inside = table[grouped.of == group]
        low, high = bootstrap_interval(inside)
        mean = pd.DataFrame(inside).mean().to_numpy()
        parts.append(pd.DataFrame({"name": list(values), "group": group, "mean": mean, "low": low, "high": high}))
    return pd.concat(parts, ignore_index=True)


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
