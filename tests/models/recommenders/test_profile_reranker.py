from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from omniretail.models.profiles.random import Random
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.profile_reranker import ProfileReranker, _listwise
from omniretail.models.saving import load, save
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import train_on

DAY_S, N_USERS, N_ITEMS, N_DAYS = 24 * 3600, 200, 40, 60
START = 1_500_000_000


def daily(histories: Histories) -> Histories:
    """A basket a day."""
    return replace(histories, timestamp=START + histories.basket.astype(np.int64) * DAY_S)


def two_kinds() -> Train:
    """Even customers take from the first twenty items, which are bread, odd ones from the others, tools."""
    rng = np.random.default_rng(0)
    baskets = [[(rng.integers(0, 20, 2) + 20 * (user % 2)).tolist() for _ in range(N_DAYS)] for user in range(N_USERS)]
    bare = train_on(baskets, N_ITEMS)
    items = bare.item_table.assign(category=["bread"] * 20 + ["tools"] * 20)
    return replace(bare, histories=daily(bare.histories), item_table=items, at=START + N_DAYS * DAY_S)


TRAIN = two_kinds()
FANS = daily(Histories.of([[[0], [1, 2], [3]], [[30], [31, 32], [33]]], N_ITEMS))
OF_A_KIND = [set(range(20)), set(range(20, 40))]


def top(scores: np.ndarray, k: int) -> list[set[int]]:
    return [set(row[:k].tolist()) for row in np.argsort(-scores, axis=1, kind="stable")]


def pull(model: ProfileReranker) -> float:
    """How far the profiles move a category up or down."""
    vectors = model.models_["encoder"].embed(TRAIN.histories, TRAIN.at)
    return np.abs((vectors - model.means_) / model.scales_ @ model.tastes_ * model.weights_[1]).mean()


def reranked(**settings) -> ProfileReranker:
    return ProfileReranker(**({"base": Popular(), "encoder": CountSVD(dim=4), "candidates": 40} | settings))


def test_items_that_the_profile_predicts_come_first() -> None:
    model = reranked().fit(TRAIN)
    assert top(model.score(FANS), 20) == OF_A_KIND
    assert top(model.score(TRAIN.histories.take([4, 7])), 20) == OF_A_KIND


def test_a_random_profile_weighs_nothing() -> None:
    assert pull(reranked(encoder=Random(dim=4)).fit(TRAIN)) < 0.1 * pull(reranked().fit(TRAIN))


def test_what_is_no_candidate_follows_in_the_bases_order() -> None:
    model = reranked(candidates=10).fit(TRAIN)
    base, scores = Popular().fit(TRAIN).score(FANS), model.score(FANS)
    order, again = np.argsort(-base, axis=1, kind="stable"), np.argsort(-scores, axis=1, kind="stable")
    assert top(scores, 10) == top(base, 10)
    np.testing.assert_array_equal(again[:, 10:], order[:, 10:])


@pytest.mark.parametrize("settings", [{"horizon_days": 1e4}, {"level": "brand"}])
def test_where_nothing_can_be_learned_the_bases_order_stays(settings: dict) -> None:
    base = PersonalTop().fit(TRAIN).score(TRAIN.histories)
    scores = reranked(base=PersonalTop(), **settings).fit(TRAIN).score(TRAIN.histories)
    np.testing.assert_array_equal(np.argsort(-scores, kind="stable"), np.argsort(-base, kind="stable"))


def test_the_base_knows_everything_and_the_encoder_what_was_before_the_window() -> None:
    model = reranked(horizon_days=28).fit(TRAIN)
    np.testing.assert_array_equal(model.models_["base"].popularity_, Popular().fit(TRAIN).popularity_)
    early = TRAIN.histories.timestamp < TRAIN.at - 28 * DAY_S
    before = replace(TRAIN, histories=TRAIN.histories.keep(early))
    np.testing.assert_array_equal(model.models_["encoder"].directions_, CountSVD(dim=4).fit(before).directions_)


def test_weights_are_those_of_the_model_that_drew_the_purchases() -> None:
    rng, drawn_with = np.random.default_rng(0), np.array([1.5, -1.0])
    features = rng.normal(size=(5000, 6, 2))
    chance = softmax(features @ drawn_with, axis=1)
    chosen = [rng.choice(6, p=row) for row in chance]
    assert _listwise(features, np.eye(6)[chosen] > 0) == pytest.approx(drawn_with, abs=0.1)


def test_a_customer_without_a_history_gets_the_popular_list() -> None:
    scores = reranked(base=PersonalTop(), level="brand").fit(TRAIN).score(Histories.of([[]], N_ITEMS))
    expected = PersonalTop().fit(TRAIN).score(Histories.of([[]], N_ITEMS))
    np.testing.assert_array_equal(np.argsort(-scores, kind="stable"), np.argsort(-expected, kind="stable"))


def test_saved_and_loaded_with_both_parts(tmp_path: Path) -> None:
    model = reranked().fit(TRAIN)
    save(model, tmp_path)
    again = load(tmp_path)
    assert again.label == "ProfileReranker (Popular, CountSVD)"
    np.testing.assert_array_equal(again.score(FANS), model.score(FANS))


def test_an_item_without_a_category_is_ranked_by_the_base_alone() -> None:
    category = pd.Series(TRAIN.item_table.category).mask(TRAIN.item_table.item_id == 5)
    model = reranked().fit(replace(TRAIN, item_table=TRAIN.item_table.assign(category=category)))
    assert model.item_value_[5] == -1
    assert not model.tastes_[:, -1].any()
    assert top(model.score(FANS), 19)[1] < OF_A_KIND[1]
