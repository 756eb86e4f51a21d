"""Amounts, shares and times as numbers of similar size."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.views.profile.dictionary import Feature

_DECAY_DAYS = 91


def scaled(table: pd.DataFrame, features: Sequence[Feature]) -> np.ndarray:
    """Features with shorter tails; NaN stays. Shape (B, F).

    Counts, amounts, days and ratios become logarithms, shares square roots; the time since a purchase decays from 1
    today towards 0, which stands for never.
    """
    columns = [_one(table[feature.name].to_numpy(np.float64), feature) for feature in features]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0))


def _one(values: np.ndarray, feature: Feature) -> np.ndarray:
    if feature.name.startswith("days_since_"):
        return np.nan_to_num(np.exp(-values / _DECAY_DAYS))
    if feature.unit in ("count", "currency", "days", "ratio"):
        return np.sign(values) * np.log1p(np.abs(values))
    return np.sqrt(np.maximum(values, 0.0)) if feature.unit == "share" else values
