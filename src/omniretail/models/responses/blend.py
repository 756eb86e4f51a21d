"""Blend: several response models in one."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.models.responses.protocol import ResponseModel

_LEAST = 1e-6


@dataclass(eq=False)
class Blend:
    """The mean of all parts' log-odds: models that err in different places correct each other.

    Args:
        parts: response models by name.
    """

    parts: Mapping[str, ResponseModel]

    def __post_init__(self) -> None:
        self.parts = dict(self.parts)
        if not self.parts:
            raise SettingsError("Blend: parts is empty; name at least one response model")
        if odd := [name for name in self.parts if not name.isidentifier()]:
            raise SettingsError(
                f"Blend: parts: {odd[0]!r} becomes a folder's name; use letters, digits and underscores"
            )

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``."""
        self.parts_ = {name: copy.deepcopy(part).fit(rows, y) for name, part in self.parts.items()}
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        chances = [np.clip(self.parts_[name].predict_proba(rows), _LEAST, 1 - _LEAST) for name in self.parts]
        log_odds = np.mean([np.log(p / (1 - p)) for p in chances], axis=0)
        return 1 / (1 + np.exp(-log_odds))
