"""Amounts, shares and times as numbers of like size."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.views.profile.dictionary import Feature

_FADING_DAYS = 91


def scaled(table: pd.DataFrame, features: Sequence[Feature]) -> np.ndarray:
    """Long tails drawn in; NaN stays. Shape (B, F).

    Counts, amounts, days and ratios become logarithms, shares square roots; the time since a purchase becomes what is
    left of it (1 today, nearing 0), so that never is 0 too.
    """
    columns = [_one(table[feature.name].to_numpy(np.float64), feature) for feature in features]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0))


def _one(values: np.ndarray, feature: Feature) -> np.ndarray:
    if feature.name.startswith("days_since_"):
        return np.nan_to_num(np.exp(-values / _FADING_DAYS))
    if feature.unit in ("count", "currency", "days", "ratio"):
        return np.sign(values) * np.log1p(np.abs(values))
    return np.sqrt(np.maximum(values, 0.0)) if feature.unit == "share" else values
