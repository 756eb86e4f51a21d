"""What a second stage learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True)
class RankingExamples:
    """Candidates of the users of inner windows, N in all, user by user.

    Attributes:
        x: features, NaN where the log does not tell; float32, shape (N, F).
        bought: whether the candidate was bought in the window; shape (N,).
        sizes: candidates of each user; shape (U,).
    """

    x: np.ndarray
    bought: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[Self]) -> Self:
        """All parts, one after the other; nothing where there are none."""
        if not parts:
            return cls(np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64))
        return cls(*(np.concatenate([getattr(each, field.name) for each in parts]) for field in fields(cls)))
