"""Popular: the same list for everybody, the baseline of every table."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from omniretail.core.checks import one_of
from omniretail.models.protocols import Recommender
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

    ranks_newcomers: ClassVar[bool] = True

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


def newcomer_scores(model: Recommender, train: Train) -> np.ndarray:
    """Scores for users without a history, who are served what is popular.

    A model whose class sets ``ranks_newcomers`` serves them the popularity that it fills its lists up with, so that it
    has one popularity throughout. All others serve them items by customers, as ``Popular`` does.

    Args:
        model: fitted on ``train``.
        train: what the model learned from.

    Returns:
        Shape (I,).
    """
    if getattr(model, "ranks_newcomers", False):
        return model.score(Histories.of([[]], train.histories.n_items))[0]
    return Popular().fit(train).popularity_
