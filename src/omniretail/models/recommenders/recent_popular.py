"""RecentPopular: what sells now. The floor wherever tastes and seasons change."""

from typing import Self

import numpy as np

from omniretail.views.histories import Histories
from omniretail.views.train import Train

_DAY = 86_400


class RecentPopular:
    """Items by their events, each counting half as much for every ``half_life_days`` before the cutoff.

    Where the data holds an order but no clock, positions are seconds, every event lies within moments of the cutoff,
    and this is ``Popular(count="events")``: a place in one user's history says nothing of another's.

    Args:
        half_life_days: the age, in days, at which an event counts half.
    """

    def __init__(self, half_life_days: float = 14.0) -> None:
        self.half_life_days = half_life_days

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
