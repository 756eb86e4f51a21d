"""Rows as one matrix of numbers of similar size, for models that add features up."""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.models.responses.features import Features, is_quantity

_CLIP, _LINEAR_UP_TO = 5.0, 5.0


def checked_outcomes(y: np.ndarray) -> np.ndarray:
    """The outcomes as float64.

    Raises:
        SettingsError: where there are no rows, all outcomes are the same, or one is neither 0 nor 1.
    """
    y = np.asarray(y, dtype=np.float64)
    if not np.isin(y, (0.0, 1.0)).all():
        raise SettingsError("outcomes must be 0 or 1; leave out the rows whose outcome is unknown")
    if len(np.unique(y)) < 2:
        kind = "there are none" if not len(y) else "all did" if y.all() else "none did"
        raise SettingsError(
            f"a response model learns from rows that acted and rows that did not; of {len(y):,}, {kind}"
        )
    return y


def log_compressed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with quantities that grow with their logarithm beyond 5, so that a few large counts do not dominate."""
    quantities = [str(column) for column in rows if is_quantity(rows, str(column))]
    numbers = rows[quantities].astype(np.float64)
    beyond = _LINEAR_UP_TO * (1 + np.log(numbers.abs().clip(lower=_LINEAR_UP_TO) / _LINEAR_UP_TO))
    compressed = numbers.where(numbers.abs() <= _LINEAR_UP_TO, np.sign(numbers) * beyond)
    return pd.concat([compressed, rows.drop(columns=quantities)], axis=1).reindex(columns=rows.columns)


def matrix(features: Features, rows: pd.DataFrame) -> np.ndarray:
    """Quantities standardised and clipped, 0 where missing; one column per category; shape (N, D)."""
    numbers, codes = features.standardised(rows), features.codes(rows)
    sizes = {name: len(categories) for name, categories in features.vocabularies()}
    blocks = [np.clip(values, -_CLIP, _CLIP)[:, None] for values in numbers.values()]
    blocks += [np.eye(sizes[name] + 1)[code][:, 1:] for name, code in codes.items()]
    return np.hstack([np.zeros((len(rows), 0)), *blocks])


def set_features(model: Any, features: Features) -> None:
    """Put what was learned of the columns on the model, as arrays that can be saved."""
    for each in fields(Features):
        setattr(model, f"{each.name}_", getattr(features, each.name))


def features_of(model: Any) -> Features:
    """What ``set_features`` put there."""
    return Features(**{each.name: getattr(model, f"{each.name}_") for each in fields(Features)})
