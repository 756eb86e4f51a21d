import numpy as np
import pytest

from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.bpr import BPR
from omniretail.views.histories import Histories
from tests.models.factories import random_baskets, train_on

TRAIN = train_on(random_baskets(20, 10), 10)


def test_scores_are_products_of_vectors_and_a_bias() -> None:
    model = BPR(factors=3, iterations=5).fit(TRAIN)
    assert model.user_factors_.shape == (20, 4)
    assert np.all(model.user_factors_[:, 3] == 1)
    expected = model.item_factors_[:, :3] @ model.user_factors_[7, :3] + model.item_factors_[:, 3]
    np.testing.assert_allclose(model.score(TRAIN.histories.take([7]))[0], expected, rtol=1e-5)


def test_a_history_it_was_not_trained_on_is_refused() -> None:
    with pytest.raises(UnknownUserError, match="cannot score 1 of 2 users"):
        BPR(iterations=1).fit(TRAIN).score(Histories.of([[[1]], []], 10))


def test_a_user_without_history_gets_the_biases() -> None:
    model = BPR(factors=3, iterations=5).fit(TRAIN)
    np.testing.assert_array_equal(model.score(Histories.of([[]], 10))[0], model.item_factors_[:, 3])
