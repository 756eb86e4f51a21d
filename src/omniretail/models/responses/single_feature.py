"""SingleFeature: one column decides, as in a marketer's rule of thumb."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.models.responses.encoding import checked_outcomes


@dataclass(eq=False)
class SingleFeature:
    """Ranks by one column, with probabilities from a rising step function learned from training rows.

    The steps (isotonic regression) are mixed with a trace of the value's rank among training rows, so that ties remain
    only where the column has them.

    Args:
        feature: a column, such as ``redeemed_rate``.
        highest_first: False where the smallest values act most, as with days since the last visit; a missing value
            counts as the least likely.
    """

    feature: str
    highest_first: bool = True

    @property
    def label(self) -> str:
        """For tables."""
        return f"By {self.feature.replace('_', ' ')}"

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``."""
        from sklearn.isotonic import IsotonicRegression

        outcome, value = checked_outcomes(y), self._value(rows)
        steps = IsotonicRegression(out_of_bounds="clip").fit(value, outcome)
        self.value_ = np.unique(value)
        self.chance_ = steps.predict(self.value_) * 0.98 + 0.02 * outcome.mean() * np.linspace(0, 2, len(self.value_))
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        return np.clip(np.interp(self._value(rows), self.value_, self.chance_), 0.0, 1.0)

    def _value(self, rows: pd.DataFrame) -> np.ndarray:
        if self.feature not in rows:
            raise SettingsError(f"the rows have no column {self.feature!r}; choose one of {', '.join(map(str, rows))}")
        value = rows[self.feature].to_numpy(np.float64) * (1.0 if self.highest_first else -1.0)
        return np.where(np.isnan(value), -1e12, value)
