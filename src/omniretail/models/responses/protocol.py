"""What every response model has. There is nothing to inherit: a class with these methods is a model."""

from typing import Protocol, Self

import numpy as np
import pandas as pd


class ResponseModel(Protocol):
    """Predicts for each row, a person with an item or an offer at a time, the probability to act.

    Models are dataclasses of their hyper-parameters; what is learned is in attributes that end in an underscore.
    """

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """Learn from rows with an outcome; the same seed gives the same probabilities.

        Args:
            rows: one column per feature; numbers are quantities, all else, and whatever ends in ``_id``, categories.
            y: 1 where they acted, else 0; shape (N,).

        Raises:
            SettingsError: where all outcomes are the same, or one is neither 0 nor 1.
        """
        ...

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """The probability to act; a row's answer depends on that row alone.

        Args:
            rows: the columns of ``fit``, in any order and among others.

        Returns:
            float64 in [0, 1]; shape (N,).

        Raises:
            SettingsError: where a column of ``fit`` is missing.
        """
        ...
