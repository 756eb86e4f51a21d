from math import log1p, sqrt

import numpy as np
import pytest

from omniretail.models.recommenders.user_knn import UserKNN
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on

N_USERS, N_ITEMS = 25, 12
BASKETS = random_baskets(N_USERS, N_ITEMS)
MATRIX = matrix_of(BASKETS, N_ITEMS)


def by_loops(own: np.ndarray, left_out: int | None, k: int, shrinkage: float, tf_idf: bool) -> np.ndarray:
    rarity = np.array([log1p(N_USERS / n) if tf_idf else 1.0 for n in MATRIX.sum(axis=0)])
    similarity = {}
    for user in set(range(N_USERS)) - {left_out}:
        a, b = own * rarity, MATRIX[user] * rarity
        similarity[user] = (a @ b) / (sqrt(a @ a) * sqrt(b @ b) + shrinkage)
    nearest = sorted(similarity, key=lambda user: (-similarity[user], user))[:k]
    return np.sum([similarity[user] * MATRIX[user] for user in nearest], axis=0)


@pytest.mark.parametrize(("k", "shrinkage", "weighting"), [(3, 0.0, "none"), (6, 4.0, "tf-idf"), (100, 4.0, "tf-idf")])
def test_scores_are_those_of_plain_loops(k: int, shrinkage: float, weighting) -> None:
    train = train_on(BASKETS, N_ITEMS)
    model = UserKNN(k, shrinkage, weighting).fit(train)
    known = model.score(train.histories)
    fresh = model.score(Histories.of(BASKETS, N_ITEMS))
    for user in range(N_USERS):
        settings = (k, shrinkage, weighting == "tf-idf")
        assert known[user] == pytest.approx(by_loops(MATRIX[user], user, *settings), abs=1e-5)
        assert fresh[user] == pytest.approx(by_loops(MATRIX[user], None, *settings), abs=1e-5)
