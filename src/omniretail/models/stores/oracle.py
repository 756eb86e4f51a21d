"""StoreOracle: the choices with which a simulated retailer draws its visits; no model can be better on average."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import require
from omniretail.models.stores.within_horizon import within_horizon
from omniretail.schema import DataError
from omniretail.sources.simulator.source import Simulate
from omniretail.views.stores.visit_log import StoreLog, VisitQueries


@dataclass(eq=False)
class StoreOracle:
    """The simulator's choice probabilities.

    Args:
        source: the simulated retailer, whose customers and stores are numbered from 1.
    """

    source: Simulate = field(metadata={"protocol": False})

    def __post_init__(self) -> None:
        require(self, "source", isinstance(self.source, Simulate), "be the simulated retailer: set source=simulate")

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``; only the numbers of the stores are read.

        Raises:
            DataError: where the log does not name its stores.
        """
        if log.stores is None:
            raise DataError("StoreOracle needs a log that names its stores; make it with views.stores.store_log")
        self.store_ids_ = log.stores.ids.to_numpy(np.int64)  # (S,)
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``; customers are looked up by id, so customers without a history have scores too."""
        world, customer = self.source.world(), queries.who.astype(np.int64) - 1
        chances = np.zeros((len(queries), len(world.place)), dtype=np.float32)
        np.put_along_axis(chances, world.near[customer].astype(np.int64), world.pull[customer], axis=1)
        return chances[:, self.store_ids_ - 1]

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``; the true choice at the rate of visits that the log shows."""
        return within_horizon(self, log, horizon_days)
