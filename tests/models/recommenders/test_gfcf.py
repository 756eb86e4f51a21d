import numpy as np
import pytest

from omniretail.models.recommenders.gfcf import GFCF
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on


def by_dense_algebra(matrix: np.ndarray, own: np.ndarray, alpha: float, factors: int) -> np.ndarray:
    """The paper's filter, with an exact decomposition."""
    users, items = (np.diag(matrix.sum(axis=axis) ** -0.5) for axis in (1, 0))
    normalised = users @ matrix @ items
    _, _, vectors = np.linalg.svd(normalised)
    low_pass = items @ vectors[:factors].T @ vectors[:factors] @ np.linalg.inv(items)
    return own @ (normalised.T @ normalised + alpha * low_pass)


@pytest.mark.parametrize(("n_users", "n_items"), [(50, 20), (20, 50)], ids=["fewer items", "fewer users"])
@pytest.mark.parametrize("factors", [1, 5, 20])
def test_scores_are_those_of_dense_algebra(n_users: int, n_items: int, factors: int) -> None:
    baskets, others = random_baskets(n_users, n_items), random_baskets(6, n_items, seed=1)
    model = GFCF(alpha=0.4, factors=factors, iterations=30).fit(train_on(baskets, n_items))
    expected = by_dense_algebra(matrix_of(baskets, n_items), matrix_of(others, n_items), 0.4, factors)
    np.testing.assert_allclose(model.score(Histories.of(others, n_items)), expected, atol=1e-4)


def test_more_factors_than_dimensions_are_as_good_as_all() -> None:
    train = train_on(random_baskets(30, 8), 8)
    many, all_there_are = (GFCF(factors=factors).fit(train).score(train.histories) for factors in (500, 8))
    np.testing.assert_allclose(many, all_there_are, atol=1e-5)
