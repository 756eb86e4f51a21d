"""TrueEffect: the effect that the simulated retailer draws its customers' reactions with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.core.checks import require
from omniretail.models.uplift.protocol import both_groups
from omniretail.sources.simulator.source import Simulate
from omniretail.sources.simulator.world import World


@dataclass(eq=False)
class TrueEffect:
    """The simulator's own effect of each coupon on each customer; no learner can rank better on average.

    Args:
        source: the simulated retailer, whose customers and offers are numbered from 1.
    """

    source: Simulate = field(metadata={"protocol": False})

    def __post_init__(self) -> None:
        require_simulated(self)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``; nothing is learned."""
        both_groups(treated)
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``; customers and offers are looked up by the index."""
        return true_effects(self.source, x)


def require_simulated(oracle: Any) -> None:
    """Refuse a model of the truth beside any other source.

    Raises:
        SettingsError: where its ``source`` is not the simulated retailer.
    """
    simulated = isinstance(oracle.source, Simulate)
    require(oracle, "source", simulated, "be the simulated retailer: set source=simulate")


def true_effects(source: Simulate, x: pd.DataFrame) -> np.ndarray:
    """The true effect of each row's coupon on its customer; shape (N,).

    Args:
        source: the simulated retailer.
        x: with the index (``user_id``, ``offer_id``), numbered from 1; shape (N, D).
    """
    return looked_up(source, x, lambda world, campaign: world.effect(campaign)[:, None])[:, 0]


def looked_up(source: Simulate, x: pd.DataFrame, truth: Callable[[World, int], np.ndarray]) -> np.ndarray:
    """Numbers of the world for each row.

    Args:
        source: the simulated retailer.
        x: as for ``true_effects``.
        truth: world and campaign to F numbers of each of the U customers; shape (U, F).

    Returns:
        Shape (N, F).
    """
    user, offer = (x.index.get_level_values(name).to_numpy(np.int64) - 1 for name in ("user_id", "offer_id"))
    world, n_numbers = source.world(), truth(source.world(), 0).shape[1]
    numbers = np.zeros((len(x), n_numbers))
    for campaign in np.unique(offer):
        rows = offer == campaign
        numbers[rows] = truth(world, int(campaign))[user[rows]]
    return numbers
