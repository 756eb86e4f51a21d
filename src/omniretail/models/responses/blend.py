"""Blend: several response models, one answer."""

import copy
from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.responses.protocol import ResponseModel

_LEAST = 1e-6


class Blend:
    """The mean of all parts' log-odds: models that err in different places correct each other.

    Args:
        parts: response models by name.
    """

    def __init__(self, parts: Mapping[str, ResponseModel]) -> None:
        if not parts:
            raise ValueError("parts is empty: name at least one response model")
        if odd := [name for name in parts if not name.isidentifier()]:
            raise ValueError(f"parts: {odd[0]!r} will be a folder's name; take letters, digits and underscores")
        self.parts = dict(parts)

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``."""
        self.parts_ = {name: copy.deepcopy(part).fit(rows, y) for name, part in self.parts.items()}
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        said = [np.clip(self.parts_[name].predict_proba(rows), _LEAST, 1 - _LEAST) for name in self.parts]
        log_odds = np.mean([np.log(p / (1 - p)) for p in said], axis=0)
        return 1 / (1 + np.exp(-log_odds))
