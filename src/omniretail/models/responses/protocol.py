"""What a response model promises. There is nothing to inherit: a class with these methods is a model."""

from typing import Protocol, Self

import numpy as np
import pandas as pd


class ResponseModel(Protocol):
    """Says for each row, a person with an item or an offer at a moment, how probable it is that they act.

    As with ``Recommender``, a constructor takes plain keyword arguments and keeps each under its name, and what is
    learned stays in attributes that end in an underscore.
    """

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """Learn from rows whose outcome is known.

        Args:
            rows: one column per feature; numbers are quantities, all else, and whatever ends in ``_id``, categories.
            y: 1 where they acted, else 0; shape (N,).
        """
        ...

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """The probability that they act; float64 in [0, 1], shape (N,)."""
        ...
