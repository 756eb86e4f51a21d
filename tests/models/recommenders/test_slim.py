import numpy as np
import pytest
from sklearn.linear_model import ElasticNet

from omniretail.models.recommenders import slim
from omniretail.models.recommenders.slim import SLIM
from tests.models.factories import matrix_of, random_baskets, train_on

N_USERS, N_ITEMS = 60, 10
BASKETS = random_baskets(N_USERS, N_ITEMS)
MATRIX = matrix_of(BASKETS, N_ITEMS)


@pytest.mark.parametrize(("l1", "l2"), [(1.0, 10.0), (4.0, 0.5), (0.1, 0.1)])
def test_weights_are_those_of_an_elastic_net(l1: float, l2: float, monkeypatch) -> None:
    monkeypatch.setattr(slim, "_BLOCK", 4)
    weights = SLIM(k=N_ITEMS, l1=l1, l2=l2, max_iter=1000, tolerance=1e-7).fit(train_on(BASKETS, N_ITEMS)).item_weights_
    net = ElasticNet(
        alpha=(l1 + l2) / N_USERS,
        l1_ratio=l1 / (l1 + l2),
        positive=True,
        fit_intercept=False,
        max_iter=10_000,
        tol=1e-9,
    )
    for item in range(N_ITEMS):
        others = np.delete(np.arange(N_ITEMS), item)
        expected = net.fit(MATRIX[:, others], MATRIX[:, item]).coef_
        np.testing.assert_allclose(weights.toarray()[others, item], expected, atol=1e-4)


def test_candidates_are_the_nearest_items_and_never_the_item_itself() -> None:
    weights = SLIM(k=3, l1=0.01, l2=0.01).fit(train_on(BASKETS, N_ITEMS)).item_weights_.toarray()
    assert np.all(np.count_nonzero(weights, axis=0) <= 3)
    assert not np.diag(weights).any()
    assert (weights >= 0).all()
