"""Random: noise, the control that every encoder must beat."""

import zlib
from dataclasses import dataclass
from typing import Self

import numpy as np

from omniretail.core.checks import at_least
from omniretail.views.histories import Histories
from omniretail.views.train import Train


@dataclass(eq=False)
class Random:
    """Gaussian noise, seeded by the history: it says nothing about the customer.

    Args:
        dim: D.
        seed: equal histories get equal vectors under one seed.
    """

    dim: int = 64
    seed: int = 1

    def __post_init__(self) -> None:
        at_least(self, "dim", low=1)

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``; nothing is learned."""
        self.n_items_ = np.array(len(train.items))
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``."""
        vectors = np.empty((len(users), self.dim), dtype=np.float32)
        for row, (start, end) in enumerate(zip(users.offsets[:-1], users.offsets[1:], strict=True)):
            events = np.stack([users.item_idx[start:end].astype(np.int64), users.timestamp[start:end]])
            rng = np.random.default_rng([self.seed, zlib.crc32(events.tobytes())])
            vectors[row] = rng.standard_normal(self.dim)
        return vectors
