"""Concat: several encoders side by side."""

import copy
from collections.abc import Mapping
from typing import Self

import numpy as np

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.views.histories import Histories
from omniretail.views.train import Train


class Concat:
    """The vectors of all parts in one, none louder than another.

    Columns are centred on the training customers, and each part is scaled as a whole, so that its own geometry stays:
    afterwards the mean squared length of the vectors is the same for every part, and the mean variance of a column
    is one.

    Args:
        parts: encoders by name, in the order of their columns.
    """

    def __init__(self, parts: Mapping[str, ProfileEncoder]) -> None:
        if not parts:
            raise ValueError("parts is empty: name at least one encoder")
        if odd := [name for name in parts if not name.isidentifier()]:
            raise ValueError(f"parts: {odd[0]!r} will be a folder's name; take letters, digits and underscores")
        self.parts = dict(parts)

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
