from typing import Any

import numpy as np
import pytest

from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.bpr import BPR
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.ranking.members import (
    best_items,
    first_known,
    fitted_members,
    member_features,
    member_scores,
)
from omniretail.models.recommenders.ranking.pairs import Pairs
from omniretail.views.histories import Histories
from tests.models.factories import random_baskets, train_on

TRAIN = train_on(random_baskets(20, 8), 8)
STRANGER = Histories.of([[[3]]], 8)


def scores_of(**members: Any) -> dict[str, np.ndarray]:
    return member_scores(fitted_members(members, TRAIN), TRAIN.histories.take([0]).then(STRANGER))


def test_a_member_that_cannot_score_a_user_leaves_them_to_the_others() -> None:
    scores = scores_of(bpr=BPR(), popular=Popular())
    assert np.isfinite(scores["bpr"][0]).all()
    assert np.isnan(scores["bpr"][1]).all()
    first = first_known(scores)
    np.testing.assert_array_equal(first[0], scores["bpr"][0])
    np.testing.assert_array_equal(first[1], scores["popular"][1])
    best = best_items(scores, 3)
    assert best["bpr"][1].tolist() == [-1, -1, -1]
    pairs = Pairs.of(list(best.values()), 8)
    assert set(pairs.item[pairs.row == 1]) == set(best["popular"][1])
    features = member_features(scores, best, pairs)
    assert np.isnan(features["bpr_place"][pairs.row == 1]).all()
    assert np.isfinite(features["popular_place"]).all()


def test_where_no_member_can_score_a_user_the_error_says_so() -> None:
    with pytest.raises(UnknownUserError, match="BPR learns a vector per user"):
        scores_of(bpr=BPR())


def test_lists_end_with_the_catalogue() -> None:
    assert best_items(scores_of(popular=Popular()), 1000)["popular"].shape == (2, 8)


def test_features_are_score_ratio_and_place() -> None:
    scores = {"a": np.array([[4.0, 1.0, 2.0, 3.0]], dtype=np.float32), "b": np.array([[0, -1, -2, 0]], np.float32)}
    best = best_items(scores, 2)
    pairs = Pairs.of(list(best.values()), 4)
    assert pairs.item.tolist() == [0, 3]
    features = member_features(scores, best, pairs)
    assert features["a_score"].tolist() == [4, 3]
    assert features["a_ratio"].tolist() == [1, 0.75]
    assert features["a_place"].tolist() == [0, 1]
    assert np.isnan(features["b_ratio"]).all()  # its best score is zero


def test_scores_that_differ_by_the_order_of_a_sum_are_equal() -> None:
    class Fixed(PersonalTop):
        def score(self, users: Histories) -> np.ndarray:
            third = np.float32(0.3)
            return np.array([[np.nextafter(third, np.float32(1)), third, 0.2999]], dtype=np.float32)

    (scores,) = member_scores({"fixed": Fixed()}, STRANGER).values()
    assert scores[0, 0] == scores[0, 1] > scores[0, 2]
    np.testing.assert_allclose(scores, [[0.3, 0.3, 0.2999]], rtol=1e-5)
