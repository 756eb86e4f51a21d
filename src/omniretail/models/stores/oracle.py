"""What a simulated world itself says of the next store: no model can be better on average."""

from typing import Self

import numpy as np

from omniretail.ids import Vocabulary
from omniretail.sources.simulator.world import World
from omniretail.views.stores.visit_log import StoreLog, VisitQueries


class StoreOracle:
    """The chances that visits to stores were drawn with.

    Args:
        world: whose customers and stores are numbered from 1.
        stores: those of the training set.
    """

    def __init__(self, world: World, stores: Vocabulary) -> None:
        self.world = world
        self.stores = stores

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``; there is nothing to learn."""
        return self

    def score(self, asked: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``; customers are told by their raw ids, which held-out visits have."""
        customer = asked.who.astype(np.int64) - 1
        chances = np.zeros((len(asked), len(self.world.place)), dtype=np.float32)
        np.put_along_axis(chances, self.world.near[customer].astype(np.int64), self.world.pull[customer], axis=1)
        return chances[:, self.stores.ids.to_numpy(np.int64) - 1]
