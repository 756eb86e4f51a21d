"""PersonalTop: what the customer buys most. The floor wherever customers buy again."""

from typing import Literal, Self

import numpy as np
from scipy import sparse

from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items
from omniretail.views.train import Train


class PersonalTop:
    """A user's own items by how many of their baskets held them, filled up with what is popular.

    Called GP-TopFreq by Li et al., "A Next Basket Recommendation Reality Check" (TOIS 2023). Most of a grocery
    customer's items were bought equally often, so that ties decide the figure: on Ta-Feng the published one comes out
    with ``first``, and ``popular`` is worth more than most models add to it.

    Args:
        ties: among a user's items bought equally often, ``popular`` puts first what more baskets of all users held,
            ``first`` what the user bought first.
    """

    def __init__(self, ties: Literal["popular", "first"] = "popular") -> None:
        self.ties = ties

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
