from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from omniretail.core.errors import SettingsError
from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.blend import Normalisation, ScoreBlend, normalised
from omniretail.models.recommenders.bpr import BPR
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.recent_popular import RecentPopular
from omniretail.models.saving import load, save
from omniretail.views.histories import Histories
from omniretail.views.train import Train, Validation
from tests.models.factories import random_baskets, train_on
from tests.models.recommenders.test_two_stage import DAY_S, TRAIN

SCALES: list[Normalisation] = ["rank", "min_max", "z_score", "softmax"]
SHOP = train_on(random_baskets(20, 8), 8)


def test_scales_by_hand() -> None:
    scores = np.array([[3.0, 1.0, 2.0, 6.0]], dtype=np.float32)
    np.testing.assert_allclose(normalised(scores, "rank"), [[1 / 62, 1 / 64, 1 / 63, 1 / 61]], rtol=1e-6)
    np.testing.assert_allclose(normalised(scores, "min_max"), [[0.4, 0, 0.2, 1]])
    np.testing.assert_allclose(normalised(scores, "z_score"), (scores - 3) / scores.std(), rtol=1e-6)
    np.testing.assert_allclose(normalised(scores, "softmax"), softmax(scores, axis=1), rtol=1e-6)


@pytest.mark.parametrize("how", SCALES)
def test_equal_scores_and_unknown_rows_add_nothing(how: Normalisation) -> None:
    rows = np.array([[2.0, 2.0], [np.nan, np.nan], [1.0, 2.0]], dtype=np.float32)
    scaled = normalised(rows, how)
    assert scaled[:2].tolist() == [[0, 0], [0, 0]]
    assert scaled[2, 1] > scaled[2, 0]


@pytest.mark.parametrize("how", SCALES)
def test_the_member_that_is_right_gets_the_weight(how: Normalisation) -> None:
    members = {"popular": Popular(), "personal_top": PersonalTop()}
    model = ScoreBlend(members, how, k=3, horizon_days=3.0).fit(TRAIN)
    assert model.weights_[1] > 0.6
    assert model.weights_.sum() == pytest.approx(1)


def test_weights_are_of_the_window_and_members_of_all_events() -> None:
    model = ScoreBlend({"a": PersonalTop(), "b": Popular()}, k=3, horizon_days=3.0).fit(TRAIN)
    np.testing.assert_array_equal(vars(model.members_["b"])["popularity_"], Popular().fit(TRAIN).popularity_)
    late = TRAIN.histories.timestamp >= TRAIN.at - 3 * DAY_S
    opposite = np.where(late, 0, TRAIN.histories.item_idx).astype(np.int32)  # everybody buys what nobody is used to
    changed = replace(TRAIN, histories=replace(TRAIN.histories, item_idx=opposite))
    assert not np.allclose(ScoreBlend(model.members, k=3, horizon_days=3.0).fit(changed).weights_, model.weights_)


def test_without_a_window_all_weigh_the_same() -> None:
    once = train_on([[[0, 1]], [[1]], [[1, 2]]], 3)
    assert ScoreBlend({"a": PersonalTop(), "b": Popular()}).fit(once).weights_.tolist() == [0.5, 0.5]


def test_one_member_and_equal_members_keep_its_order() -> None:
    base = np.argsort(-PersonalTop().fit(SHOP).score(SHOP.histories), axis=1, kind="stable")
    for names in ("a", "ab"):
        model = ScoreBlend({name: PersonalTop() for name in names}).fit(SHOP)
        np.testing.assert_array_equal(np.argsort(-model.score(SHOP.histories), axis=1, kind="stable"), base)
        np.testing.assert_allclose(model.weights_, 1 / len(names))


def test_a_member_that_cannot_score_a_user_is_left_out_for_them() -> None:
    stranger = Histories.of([[[3]]], 8)
    mixed = ScoreBlend({"bpr": BPR(iterations=2), "recent": RecentPopular()}).fit(SHOP)
    expected = mixed.weights_[1] * normalised(RecentPopular().fit(SHOP).score(stranger), "z_score")
    np.testing.assert_allclose(mixed.score(stranger), expected, rtol=1e-4)
    with pytest.raises(UnknownUserError, match="cannot score 1 of 1"):
        ScoreBlend({"bpr": BPR(iterations=2)}).fit(SHOP).score(stranger)


def test_refused_without_members() -> None:
    with pytest.raises(SettingsError, match="ScoreBlend: members is empty; name a recommender"):
        ScoreBlend({})


def test_saved_and_loaded_with_its_members_in_their_order(tmp_path: Path) -> None:
    model = ScoreBlend({"z": PersonalTop(), "a": Popular()}, k=3, horizon_days=3.0).fit(TRAIN)
    save(model, tmp_path)
    again = load(tmp_path)
    assert again.label == "Blend (PersonalTop, Popular)"
    np.testing.assert_array_equal(again.score(TRAIN.histories), model.score(TRAIN.histories))


class _Fixed:
    """Scores that are given, by item; counts how often it is fitted."""

    def __init__(self, scores: list[float]) -> None:
        self.scores, self.fits_ = scores, np.zeros(1)

    def fit(self, train: Train) -> "_Fixed":
        self.fits_ = self.fits_ + 1
        return self

    def score(self, users: Histories) -> np.ndarray:
        return np.tile(np.float32(self.scores), (len(users), 1))


def test_where_nothing_is_fitted_anew_validation_chooses_the_weights() -> None:
    train = train_on([[[0], [1]], [[1], [0]]], 4)
    held_out = sparse.csr_array(np.array([[0, 0, 1, 0], [0, 0, 1, 0]], dtype=bool))
    with_validation = replace(train, validation=Validation(train.histories, held_out))
    blend = ScoreBlend({"right": _Fixed([0, 1, 3, 2]), "wrong": _Fixed([0, 1, 1.5, 3])}, k=1).fit(with_validation)
    assert blend.weights_[0] > 0.5
    assert blend.members_["right"].fits_.tolist() == [1]


def test_items_that_a_user_has_choose_no_weight_where_nobody_buys_again() -> None:
    """The first member's best are items that the users have; of the others it ranks the right one first."""
    train = train_on([[[0], [1]], [[1], [0]]], 4)
    held_out = sparse.csr_array(np.array([[0, 0, 1, 0], [0, 0, 1, 0]], dtype=bool))
    members = {"right": _Fixed([9, 8, 1.1, 0]), "wrong": _Fixed([0, 0, 1, 1.5])}
    blend = ScoreBlend(members, k=1).fit(replace(train, validation=Validation(train.histories, held_out)))
    scores = blend.score(train.histories)
    assert (scores[:, 2] > scores[:, 3]).all()
