"""TrueEffect: the effect that the simulated retailer draws its customers' reactions with."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from omniretail.core.checks import require
from omniretail.models.uplift.protocol import both_groups
from omniretail.sources.simulator.source import Simulate


@dataclass(eq=False)
class TrueEffect:
    """The simulator's own effect of each coupon on each customer; no learner can rank better on average.

    Args:
        source: the simulated retailer, whose customers and offers are numbered from 1.
    """

    source: Simulate = field(metadata={"protocol": False})

    def __post_init__(self) -> None:
        require(self, "source", isinstance(self.source, Simulate), "be the simulated retailer: set source=simulate")

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``; nothing is learned."""
        both_groups(treated)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``; customers and offers are looked up by the index."""
        user, offer = (x.index.get_level_values(name).to_numpy(np.int64) - 1 for name in ("user_id", "offer_id"))
        effects, world = np.zeros(len(x)), self.source.world()
        for number in np.unique(offer):
            rows = offer == number
            effects[rows] = world.effect(int(number))[user[rows]]
        return effects
