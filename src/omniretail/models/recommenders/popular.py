"""Popular: the same list for everybody, the baseline of every table."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from omniretail.core.checks import one_of
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

Count = Literal["users", "events"]


@dataclass(eq=False)
class Popular:
    """Items by how many users, or how many events, they had.

    Args:
        count: ``users`` (each user counts once per item) or ``events`` (every purchase counts).
    """

    count: Count = "users"

    def __post_init__(self) -> None:
        one_of(self, "count", get_args(Count))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        if self.count == "users":
            self.popularity_ = binary_user_items(train.histories).sum(axis=0).astype(np.float32)  # (I,)
        else:
            counts = np.bincount(train.histories.item_idx, minlength=train.histories.n_items)
            self.popularity_ = counts.astype(np.float32)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return np.tile(self.popularity_, (len(users), 1))
