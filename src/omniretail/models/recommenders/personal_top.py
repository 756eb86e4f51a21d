"""PersonalTop: what the customer buys most, the baseline wherever customers buy again."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from scipy import sparse

from omniretail.core.checks import one_of
from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items
from omniretail.views.train import Train

Ties = Literal["popular", "first"]


@dataclass(eq=False)
class PersonalTop:
    """A user's own items by how many of their baskets held them, then popular items: in most baskets of all users.

    Called GP-TopFreq by Li et al., "A Next Basket Recommendation Reality Check" (TOIS 2023). Most of a grocery
    customer's items were bought equally often, so ties decide the metric: on Ta-Feng ``first`` reproduces the published
    value, and ``popular`` gains more over it than most models do.

    Args:
        ties: among a user's items bought equally often, ``popular`` puts first the item that more baskets of all users
            held, ``first`` the item that the user bought first.
    """

    ties: Ties = "popular"

    ranks_newcomers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        one_of(self, "ties", get_args(Ties))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        popularity = user_items(once_per_basket(train.histories)).sum(axis=0)  # (I,)
        self.share_ = (popularity / (popularity.max() + 1)).astype(np.float32)  # below 1: one own basket outweighs it
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        counts = user_items(once_per_basket(users)).toarray()  # (B, I)
        if self.ties == "popular":
            return counts + self.share_
        return counts + np.where(counts > 0, _earliness(users).toarray(), self.share_)


def _earliness(users: Histories) -> sparse.csr_array:
    """One for the item that a user bought first, falling towards zero for the one bought last; shape (B, I)."""
    _, first = np.unique(users.rows * users.n_items + users.item_idx, return_index=True)
    row = users.rows[first]
    weights = np.zeros(len(users.item_idx))
    weights[first] = 1 - (first - users.offsets[row]) / (users.lengths[row] + 1)
    return user_items(users, weights)
