"""PersonalTop: what the customer buys most. The floor wherever customers buy again."""

from typing import Self

import numpy as np

from omniretail.views.baskets import once_per_basket
from omniretail.views.fold import Train
from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items


class PersonalTop:
    """A user's own items by how many of their baskets held them; ties, and all the rest, by overall popularity.

    Called GP-TopFreq by Li et al., "A Next Basket Recommendation Reality Check" (TOIS 2023).
    """

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        popularity = user_items(once_per_basket(train.histories)).sum(axis=0)  # (I,)
        self.share_ = (popularity / (popularity.max() + 1)).astype(np.float32)  # below 1: one own basket outweighs it
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return user_items(once_per_basket(users)).toarray() + self.share_
