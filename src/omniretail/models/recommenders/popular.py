"""Popular: the same list for everybody. The floor under every table."""

from typing import Literal, Self

import numpy as np

from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train


class Popular:
    """Items by how many users, or how many events, they had.

    Args:
        count: ``users`` (each user counts once per item) or ``events`` (every purchase counts).
    """

    def __init__(self, count: Literal["users", "events"] = "users") -> None:
        self.count = count

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
