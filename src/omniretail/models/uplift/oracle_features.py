"""OracleFeatures: a learner that is shown what drives the effect, to tell what this much data lets anyone learn."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.dr_learner import DRLearner
from omniretail.models.uplift.outcome_models import default_regressor
from omniretail.models.uplift.protocol import both_groups
from omniretail.models.uplift.true_effect import looked_up, require_simulated
from omniretail.sources.simulator.source import Simulate
from omniretail.sources.simulator.world import World

DRIVERS = ["rate", "weeks", "lift"]
"""Visits a week, weeks as a customer during the campaign, and the coupon's factor: they determine the true effect."""


@dataclass(eq=False)
class OracleFeatures:
    """A learner of the same rows and outcomes whose features are the simulator's own drivers of the effect.

    What it misses of ``TrueEffect`` is due to the number of customers; what others miss of it, to their features.

    Args:
        source: the simulated retailer, whose customers and offers are numbered from 1.
        learner: any uplift learner; it is fitted anew.
    """

    source: Simulate = field(metadata={"protocol": False})
    learner: Any = field(default_factory=lambda: DRLearner(effect=default_regressor()))

    def __post_init__(self) -> None:
        require_simulated(self)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        self.learner.fit(self._drivers(x), both_groups(treated), y)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``; customers and offers are looked up by the index."""
        return self.learner.predict(self._drivers(x))

    def _drivers(self, x: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(looked_up(self.source, x, _drivers_of), columns=DRIVERS, index=x.index)


def _drivers_of(world: World, campaign: int) -> np.ndarray:
    """Shape (U, 3)."""
    return np.column_stack([world.rate, world.weeks(campaign), world.lift[campaign]])
