import numpy as np
import pytest

from omniretail.models.recommenders.ials import IALS
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on


@pytest.mark.parametrize("alpha", [1.0, 7.0])
def test_a_history_is_folded_in_by_the_normal_equations(alpha: float) -> None:
    model = IALS(factors=4, regularization=0.5, alpha=alpha, iterations=3).fit(train_on(random_baskets(30, 12), 12))
    others = random_baskets(5, 12, seed=1)
    scores = model.score(Histories.of(others, 12))
    items = model.item_factors_.astype(float)  # (I, 4)
    for row, own in zip(scores, matrix_of(others, 12), strict=True):
        confidence = np.diag(np.where(own > 0, alpha, 1.0))
        user = np.linalg.solve(items.T @ confidence @ items + 0.5 * np.eye(4), items.T @ confidence @ own)
        np.testing.assert_allclose(row, items @ user, atol=1e-5)


def test_counts_raise_confidence() -> None:
    train = train_on(random_baskets(30, 12), 12)
    once, often = Histories.of([[[0], [5]], [[0], [0], [0], [0], [5]]], 12).take([0]), None
    often = Histories.of([[[0], [0], [0], [0], [5]]], 12)
    binary, count = IALS(factors=4).fit(train), IALS(factors=4, weighting="count").fit(train)
    np.testing.assert_array_equal(binary.score(once), binary.score(often))
    assert np.abs(1 - count.score(often)[0, 0]) < np.abs(1 - count.score(once)[0, 0])
