import numpy as np
import pytest

from omniretail.models.recommenders.tifu_knn import TIFUKNN
from omniretail.views.histories import Histories
from tests.models.factories import random_baskets, train_on

N_ITEMS = 12


def frequencies(baskets: list[list[int]], m: int, r_b: float, r_g: float) -> np.ndarray:
    """The paper's equations 1 to 3, in plain Python; where groups are uneven, the last ones are larger."""
    n_groups = min(m, len(baskets))
    sizes = [len(baskets) // n_groups + (group >= n_groups - len(baskets) % n_groups) for group in range(n_groups)]
    vector, rest = np.zeros(N_ITEMS), list(baskets)
    for group, size in enumerate(sizes, start=1):
        own, rest = rest[:size], rest[size:]
        within = np.zeros(N_ITEMS)
        for place, basket in enumerate(own, start=1):
            for item in set(basket):
                within[item] += r_b ** (size - place)
        vector += r_g ** (n_groups - group) * within / size
    return vector / n_groups


@pytest.mark.parametrize(
    ("k", "m", "r_b", "r_g", "alpha"), [(3, 2, 0.9, 0.7, 0.7), (5, 4, 0.5, 1.0, 0.2), (99, 7, 1.0, 0.3, 0.5)]
)
def test_scores_are_those_of_the_formulas(k: int, m: int, r_b: float, r_g: float, alpha: float) -> None:
    users = random_baskets(30, N_ITEMS)
    train = train_on(users, N_ITEMS)
    vectors = [frequencies(user, m, r_b, r_g) for user in users]
    scores = TIFUKNN(k, m, r_b, r_g, alpha).fit(train).score(train.histories)
    for user, own in enumerate(vectors):
        others = [vector for other, vector in enumerate(vectors) if other != user]
        nearest = sorted(others, key=lambda vector: np.linalg.norm(vector - own))[:k]
        np.testing.assert_allclose(scores[user], alpha * own + (1 - alpha) * np.mean(nearest, axis=0), atol=1e-6)


def test_a_fresh_history_has_its_twin_in_training_as_a_neighbour() -> None:
    users = random_baskets(30, N_ITEMS)
    fresh = TIFUKNN(k=1).fit(train_on(users, N_ITEMS)).score(Histories.of(users[:1], N_ITEMS))
    np.testing.assert_allclose(fresh[0], frequencies(users[0], m=7, r_b=0.9, r_g=0.7), atol=1e-6)
