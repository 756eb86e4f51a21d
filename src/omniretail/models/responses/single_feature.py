"""ByColumn: one column decides, as a marketer would do it by hand."""

from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.responses.encoding import require_both


class SingleFeature:
    """Ranks by one column, and turns it into probabilities by a rising step function learned from training rows.

    The steps (isotonic regression) are mixed with a trace of the column's rank among training rows, so that ties stay
    only where the column has them.

    Args:
        column: such as ``redeemed_rate``.
        highest_first: False where the smallest values act most, as with days since the last redemption; a missing value
            counts as the least likely.
    """

    def __init__(self, column: str, highest_first: bool = True) -> None:
        self.column = column
        self.highest_first = highest_first

    @property
    def label(self) -> str:
        """For tables."""
        return f"By {self.column.replace('_', ' ')}"

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``.

        Raises:
            ValueError: where the column is not there, or all outcomes are alike.
        """
        from sklearn.isotonic import IsotonicRegression

        outcome, value = require_both(y), self._value(rows)
        steps = IsotonicRegression(out_of_bounds="clip").fit(value, outcome)
        self.known_ = np.unique(value)
        self.chance_ = steps.predict(self.known_) * 0.98 + 0.02 * outcome.mean() * np.linspace(0, 2, len(self.known_))
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``.

        Raises:
            ValueError: where the column is not there.
        """
        return np.clip(np.interp(self._value(rows), self.known_, self.chance_), 0.0, 1.0)

    def _value(self, rows: pd.DataFrame) -> np.ndarray:
        if self.column not in rows:
            raise ValueError(f"the rows have no column {self.column!r}; choose one of {', '.join(map(str, rows))}")
        value = rows[self.column].to_numpy(np.float64) * (1.0 if self.highest_first else -1.0)
        return np.where(np.isnan(value), -1e12, value)
