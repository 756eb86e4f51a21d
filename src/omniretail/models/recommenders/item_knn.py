"""ItemKNN: items bought by the same people as the user's own."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from omniretail.core.checks import at_least, one_of
from omniretail.models.neighbours import rarity, similar_items
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

FeatureWeighting = Literal["none", "tf-idf", "unit"]


@dataclass(eq=False)
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
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
    """

    k: int = 100
    shrinkage: float = 10.0
    feature_weighting: FeatureWeighting = "tf-idf"
    weighting: Weighting = "binary"

    def __post_init__(self) -> None:
        at_least(self, "k", low=1)
        at_least(self, "shrinkage")
        one_of(self, "feature_weighting", get_args(FeatureWeighting))
        one_of(self, "weighting", get_args(Weighting))

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
