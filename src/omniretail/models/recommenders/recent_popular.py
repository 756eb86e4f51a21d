"""RecentPopular: what sells now, the baseline wherever tastes and seasons change."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from omniretail.core.checks import above
from omniretail.views.histories import Histories
from omniretail.views.train import Train

_DAY = 86_400


@dataclass(eq=False)
class RecentPopular:
    """Items by their events, where an event ``half_life_days`` before the cutoff counts half.

    Where the data holds an order but no clock, positions are seconds, all events lie within minutes of the cutoff, and
    this is ``Popular(count="events")``: positions of different users cannot be compared.

    Args:
        half_life_days: the age, in days, at which an event counts half.
    """

    half_life_days: float = 14.0

    def __post_init__(self) -> None:
        above(self, "half_life_days")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        age_days = (train.at - train.histories.timestamp) / _DAY
        weight = 0.5 ** (age_days / self.half_life_days)
        popularity = np.bincount(train.histories.item_idx, weights=weight, minlength=train.histories.n_items)
        self.popularity_ = popularity.astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return np.tile(self.popularity_, (len(users), 1))
