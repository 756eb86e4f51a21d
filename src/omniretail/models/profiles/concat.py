"""Concat: several encoders side by side."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.views.histories import Histories
from omniretail.views.train import Train


@dataclass(eq=False)
class Concat:
    """The vectors of all parts in one, each part with the same weight.

    Columns are centred on the training customers, and each part is scaled as a whole, so that its own geometry stays:
    afterwards the mean squared length of the vectors is the same for every part, and the mean variance of a column
    is 1.

    Args:
        parts: encoders by name, in the order of their columns.
    """

    parts: Mapping[str, ProfileEncoder]

    def __post_init__(self) -> None:
        self.parts = dict(self.parts)
        if not self.parts:
            raise SettingsError("Concat: parts is empty; name at least one encoder")
        if odd := [name for name in self.parts if not name.isidentifier()]:
            raise SettingsError(
                f"Concat: parts: {odd[0]!r} becomes a folder's name; use letters, digits and underscores"
            )

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``."""
        self.parts_ = {name: copy.deepcopy(part).fit(train) for name, part in self.parts.items()}
        vectors = self._vectors(train.histories, train.at)
        self.means_ = np.concatenate([part.mean(axis=0, dtype=np.float64) for part in vectors])  # (D,)
        spreads = [np.sqrt(part.var(axis=0, dtype=np.float64).sum()) for part in vectors]  # of lengths, per part
        share = np.sqrt(len(self.means_) / len(vectors))
        scales = [spread / share if spread > 0 else 1.0 for spread in spreads]
        self.scales_ = np.repeat(scales, [part.shape[1] for part in vectors])  # (D,)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``."""
        together = np.concatenate(self._vectors(users, at), axis=1)
        return ((together - self.means_) / self.scales_).astype(np.float32)

    def _vectors(self, users: Histories, at: int | np.ndarray) -> list[np.ndarray]:
        return [self.parts_[name].embed(users, at) for name in self.parts]
