"""Random: a random order, the control."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class Random:
    """Random numbers; every learner must rank better.

    Args:
        seed: of the order.
    """

    seed: int = 1

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``; nothing is learned."""
        both_groups(treated)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Random numbers by place in ``x``, not by customer; shape (N,)."""
        return np.random.default_rng(self.seed).random(len(x))
