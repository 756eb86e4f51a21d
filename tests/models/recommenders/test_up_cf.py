import numpy as np
import pytest

from omniretail.models.recommenders.up_cf import UPCF
from omniretail.views.histories import Histories
from tests.models.factories import random_baskets, train_on

N_ITEMS = 12
USERS = random_baskets(20, N_ITEMS)


def popularity(baskets: list[list[int]], r: int) -> np.ndarray:
    recent = baskets[-r:]
    return np.array([sum(item in basket for basket in recent) / len(recent) for item in range(N_ITEMS)])


def similarity(user: list[list[int]], other: list[list[int]], alpha: float) -> float:
    a, b = set().union(*user), set().union(*other)
    return len(a & b) / (len(a) ** alpha * len(b) ** (1 - alpha))


@pytest.mark.parametrize(("r", "q", "alpha"), [(1, 1, 0.5), (3, 5, 0.25), (100, 2, 1.0), (4, 3, 0.0)])
def test_scores_are_those_of_the_formulas(r: int, q: float, alpha: float) -> None:
    train = train_on(USERS, N_ITEMS)
    scores = UPCF(r, q, alpha).fit(train).score(train.histories)
    for row, user in zip(scores, USERS, strict=True):  # over all users, oneself included, as in the paper
        expected = sum(similarity(user, other, alpha) ** q * popularity(other, r) for other in USERS)
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_a_fresh_history_meets_its_twin_in_training() -> None:
    train = train_on(USERS, N_ITEMS)
    model = UPCF(r=3).fit(train)
    known, fresh = model.score(train.histories.take([4])), model.score(Histories.of(USERS[4:5], N_ITEMS))
    np.testing.assert_allclose(fresh - known, [popularity(USERS[4], r=3)], atol=1e-5)
