"""BaseRate: the share that acted, for everybody; the baseline of every probability."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.responses.encoding import checked_outcomes


@dataclass(eq=False)
class BaseRate:
    """Predicts the share of training rows that acted; its ranking is chance."""

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``."""
        self.rate_ = np.array(checked_outcomes(y).mean())
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        return np.full(len(rows), float(self.rate_))
