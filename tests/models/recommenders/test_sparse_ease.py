import numpy as np
import pytest

from omniretail.core.errors import SettingsError
from omniretail.models.recommenders import ease
from omniretail.models.recommenders.ease import EASE
from omniretail.models.recommenders.sparse_ease import SparseEASE
from tests.models.factories import matrix_of, random_baskets, train_on

N_USERS, N_ITEMS = 60, 10
BASKETS = random_baskets(N_USERS, N_ITEMS)
MATRIX = matrix_of(BASKETS, N_ITEMS)
TRAIN = train_on(BASKETS, N_ITEMS)


@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_with_all_items_as_candidates_it_is_ease(l2: float) -> None:
    np.testing.assert_allclose(
        SparseEASE(k=N_ITEMS, l2=l2).fit(TRAIN).score(TRAIN.histories),
        EASE(l2=l2).fit(TRAIN).score(TRAIN.histories),
        atol=1e-4,
    )


def test_weights_are_those_of_ridge_regressions_on_the_nearest_items() -> None:
    weights = SparseEASE(k=3, l2=2.0).fit(TRAIN).item_weights_.toarray()
    cosine = MATRIX.T @ MATRIX / np.outer(*(np.linalg.norm(MATRIX, axis=0),) * 2)
    np.fill_diagonal(cosine, -1)
    for item in range(N_ITEMS):
        nearest = np.argsort(-cosine[item], kind="stable")[:3]
        gram = MATRIX[:, nearest].T @ MATRIX[:, nearest] + 2 * np.eye(3)
        expected = np.zeros(N_ITEMS)
        expected[nearest] = np.linalg.solve(gram, MATRIX[:, nearest].T @ MATRIX[:, item])
        np.testing.assert_allclose(weights[:, item], expected, atol=1e-4)


def test_ease_names_it_where_memory_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease.os, "sysconf", lambda name: 1)
    with pytest.raises(SettingsError, match=r"EASE: an inverse of 10 x 10 .*; use model=recommender/sparse_ease"):
        EASE().fit(TRAIN)
