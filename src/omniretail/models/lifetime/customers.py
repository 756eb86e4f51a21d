"""The columns of ``views.recency_frequency`` that models read, checked, and equal rows counted."""

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError

BUYING = ("frequency", "recency", "age")
SPENDING = ("frequency", "mean_value")


def buying(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency x, recency t_x and age T; float64, each of shape (N,).

    Raises:
        SettingsError: where a column is missing, or a customer's numbers are impossible.
    """
    x, t_x, age = _columns(customers, BUYING).T
    wrong = {
        "a number that is missing or infinite": ~np.isfinite(x + t_x + age),
        "a frequency that is no whole number from 0": (x < 0) | (x != np.floor(x)),
        "a recency below 0 or above the age": (t_x < 0) | (t_x > age),
        "a recency without a repeat purchase": (x == 0) & (t_x > 0),
        "a repeat purchase at the time of the first": (x > 0) & (t_x == 0),
    }
    for what, where in wrong.items():
        if where.any():
            raise SettingsError(f"row {int(where.argmax())} of the customers has {what} ({int(where.sum()):,} in all)")
    return x, t_x, age


def spending(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Frequency x and mean value z of repeat transactions, 0 and 0 where z is unknown; float64, shapes (N,).

    A mean value below 0, as refunds may make it, counts as 0.
    """
    x, value = _columns(customers, SPENDING).T
    valued = np.isfinite(value) & (x > 0)
    return np.where(valued, x, 0.0), np.where(valued, np.maximum(value, 0.0), 0.0)


def counted(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows, shape (R, C), and how many customers have each, shape (R,).

    A likelihood needs no more than these: a million customers like CDNOW's, over a year of days, have 180,000.
    """
    rows = pd.DataFrame(dict(enumerate(columns)))
    counts = rows.groupby(list(rows.columns), sort=False).size()
    return counts.index.to_frame().to_numpy(np.float64), counts.to_numpy(np.float64)


def _columns(customers: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    absent = [name for name in names if name not in customers.columns]
    if absent:
        raise SettingsError(f"the customers have no column '{absent[0]}'; views.recency_frequency makes it")
    return customers[list(names)].astype(np.float64).to_numpy(np.float64)
