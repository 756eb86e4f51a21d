"""Rows as one matrix of numbers of like size, for models that add things up."""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.responses.features import Features, is_quantity

_CLIP, _WIDE = 5.0, 5.0


def require_both(y: np.ndarray) -> np.ndarray:
    """The outcomes as float64, after checking that there is something to tell apart.

    Raises:
        ValueError: where there are no rows, or all outcomes are alike or not known.
    """
    y = np.asarray(y, dtype=np.float64)
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1; leave out the rows whose outcome is not known")
    if len(np.unique(y)) < 2:
        kind = "there are none" if not len(y) else "all did" if y.all() else "none did"
        raise ValueError(f"a response model learns from rows that acted and rows that did not; of {len(y):,}, {kind}")
    return y


def logged(rows: pd.DataFrame) -> pd.DataFrame:
    """Quantities bent beyond 5 in size to grow with their logarithm, so that a few large counts do not rule."""
    quantities = [str(column) for column in rows if is_quantity(rows, str(column))]
    numbers = rows[quantities].astype(np.float64)
    beyond = _WIDE * (1 + np.log(numbers.abs().clip(lower=_WIDE) / _WIDE))
    bent = numbers.where(numbers.abs() <= _WIDE, np.sign(numbers) * beyond)
    return pd.concat([bent, rows.drop(columns=quantities)], axis=1).reindex(columns=rows.columns)


def matrix(features: Features, rows: pd.DataFrame) -> np.ndarray:
    """Quantities standardised and clipped, nought where missing; categories one column per word; shape (N, D)."""
    numbers = features.standardised(rows)
    words = features.numbered(rows)
    sizes = {name: len(known) for name, known in features.vocabularies()}
    blocks = [np.clip(values, -_CLIP, _CLIP)[:, None] for values in numbers.values()]
    blocks += [np.eye(sizes[name] + 1)[code][:, 1:] for name, code in words.items()]
    return np.hstack([np.zeros((len(rows), 0)), *blocks])


def remember(model: Any, features: Features) -> None:
    """Keep what was learned of the columns as arrays that can be saved."""
    for each in fields(Features):
        setattr(model, f"{each.name}_", getattr(features, each.name))


def remembered(model: Any) -> Features:
    """What ``remember`` kept."""
    return Features(**{each.name: getattr(model, f"{each.name}_") for each in fields(Features)})
