"""Embeddings checked, and scaled to columns of mean 0 and standard deviation 1."""

from dataclasses import dataclass

import numpy as np

from omniretail.core.errors import SettingsError

_CLIP = 5.0
"""Standard deviations at which values are clipped, so that one outlier is not a segment."""
_CONSTANT = 1e-9
"""Columns with a smaller spread are constant."""


@dataclass(frozen=True)
class ClippedScaler:
    """Standardises columns and clips outliers; constant columns become 0.

    Attributes:
        means: of each column; shape (D,).
        scales: standard deviation of each column, 1 where it is constant; shape (D,).
        varies: whether any column does.
    """

    means: np.ndarray
    scales: np.ndarray
    varies: bool

    @classmethod
    def fit(cls, embeddings: np.ndarray) -> "ClippedScaler":
        """Learn from customers; shape (N, D)."""
        spread, size = embeddings.std(axis=0), np.abs(embeddings).max(axis=0, initial=0.0)
        varying = spread > _CONSTANT * np.maximum(size, 1.0)
        return cls(embeddings.mean(axis=0), np.where(varying, spread, 1.0), bool(varying.any()))

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Standardised and clipped at 5 standard deviations; shape (N, D).

        Raises:
            SettingsError: where the number of columns is another.
        """
        if embeddings.shape[1] != len(self.means):
            raise SettingsError(
                f"embeddings have {embeddings.shape[1]} columns; the segments were made from {len(self.means)}"
            )
        return np.clip((embeddings - self.means) / self.scales, -_CLIP, _CLIP)


def checked(embeddings: np.ndarray) -> np.ndarray:
    """The embeddings as float64; shape (N, D).

    Raises:
        SettingsError: where there is no customer, a value is not finite, or the array is not two-dimensional.

    >>> checked(np.array([[1.0, np.nan]]))
    Traceback (most recent call last):
        ...
    omniretail.core.errors.SettingsError: 1 of 1 customers have values that are not finite, the first in row 0
    """
    values = np.asarray(embeddings, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"embeddings must be a row per customer, at least one; their shape is {values.shape}")
    bad = np.asarray(~np.isfinite(values).all(axis=1))
    if bad.any():
        rows = f"{bad.sum():,} of {len(bad):,} customers"
        raise SettingsError(f"{rows} have values that are not finite, the first in row {bad.argmax()}")
    return values
