"""ItemKNN: items liked by the same people as the user's own."""

from typing import Literal, Self

import numpy as np

from omniretail.models.neighbours import rarity, similar_items
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train


class ItemKNN:
    """Sum of the cosine similarities between an item and those of the history (Sarwar et al., WWW 2001).

    The similarity of items i and j is ``x_i . x_j / (|x_i| |x_j| + shrinkage)``, where the vectors hold the items'
    users; each item keeps its k nearest. As in Dacrema et al. (RecSys 2019), who show how hard this is to beat.

    Args:
        k: neighbours per item.
        shrinkage: pulls similarities that few users support towards 0.
        feature_weighting: ``tf-idf`` makes a user count less the more items they have, ``unit`` far less (rows of unit
            length: Deshpande and Karypis, TOIS 2004); ``none`` counts all alike. (On a binary matrix BM25 differs from
            tf-idf by a factor per item only, which the cosine cancels.)
        weighting: what a pair of user and item weighs, by how many of the user's baskets held it; ``log`` or ``count``
            where customers buy again.
    """

    def __init__(
        self,
        k: int = 100,
        shrinkage: float = 10.0,
        feature_weighting: Literal["none", "tf-idf", "unit"] = "tf-idf",
        weighting: Weighting = "binary",
    ) -> None:
        self.k = k
        self.shrinkage = shrinkage
        self.feature_weighting = feature_weighting
        self.weighting: Weighting = weighting

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        weighted = weighted_user_items(train.histories, self.weighting)
        sizes = np.diff(weighted.indptr)  # (U,)
        if self.feature_weighting == "tf-idf":
            weighted.data *= np.repeat(rarity(sizes, train.histories.n_items), sizes)
        elif self.feature_weighting == "unit":
            weighted.data /= np.repeat(np.sqrt(weighted.power(2).sum(axis=1)), sizes)
        self.similar_ = similar_items(weighted, self.k, self.shrinkage).T.tocsr()  # (I, I): column i scores item i
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        return (weighted_user_items(users, self.weighting) @ self.similar_).toarray()
