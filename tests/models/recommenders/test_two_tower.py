from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.models.recommenders.two_tower_network import TwoTowerNetwork
from omniretail.models.saving import load, save
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from omniretail.views.sequences import Windows
from tests.models.factories import random_baskets, train_on

CATEGORIES = ["bread", "milk", "tools"]
RNG = np.random.default_rng(0)
LIKED = [[[int(item)] for item in RNG.permutation(8)[:6] + 8 * (user % 3)] for user in range(60)]
"""Users 0, 3, … took breads, users 1, 4, … milk, users 2, 5, … tools; eight items of each."""
BARE = train_on(LIKED, 24)
TRAIN = replace(
    BARE,
    item_table=pd.DataFrame({"item_id": range(24), "category": [CATEGORIES[item // 8] for item in range(24)]}),
    user_table=pd.DataFrame({"user_id": range(60), "segment": [f"S{user % 3}" for user in range(60)]}),
)
NEW_ITEMS = pd.DataFrame({"item_id": [100, 101, 102], "category": CATEGORIES})
FANS = Histories.of([[[0], [1], [2]], [[8], [9]], [[17], [18]]], n_items=24)
NOBODY = Histories.of([[], [], []], n_items=24)


def small(epochs: int = 20, **settings: Any) -> TwoTower:
    usual = {"dim": 16, "max_len": 6, "learning_rate": 0.01, "batch_events": 128}
    return TwoTower(**(usual | settings), training=Training(max_epochs=epochs))


@cache
def fitted() -> TwoTower:
    return small().fit(TRAIN)


def of_ones_own(scores: np.ndarray) -> np.ndarray:
    """Whether every item of category c is above all others in row c."""
    own = np.arange(24) // 8 == np.arange(3)[:, None]
    return np.where(own, scores, np.inf).min(axis=1) > np.where(own, -np.inf, scores).max(axis=1)


def test_a_new_item_of_a_liked_category_outranks_one_of_another() -> None:
    scores = fitted().user_vectors(FANS) @ fitted().item_vectors(NEW_ITEMS).T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    assert (scores[np.arange(3), np.arange(3)] > 0.7).all()


def test_a_user_of_whom_only_attributes_are_known_gets_the_items_of_similar_users() -> None:
    table = pd.DataFrame({"user_id": [100, 101, 102], "segment": ["S0", "S1", "S2"]})
    assert of_ones_own(fitted().user_vectors(NOBODY, table) @ fitted().item_factors_.T).all()


def test_a_history_is_enough_for_a_user_without_attributes() -> None:
    best = np.argsort(-fitted().score(FANS), axis=1)[:, :5]
    assert (best // 8 == np.arange(3)[:, None]).all()


def test_a_user_without_history_and_attributes_gets_the_popular_list() -> None:
    popular = np.bincount(TRAIN.histories.item_idx, minlength=24)
    np.testing.assert_array_equal(fitted().score(NOBODY), np.tile(popular, (3, 1)))


def test_a_training_user_whose_history_is_gone_is_known_by_attributes() -> None:
    users = replace(NOBODY, user_idx=np.array([0, 1, 2], dtype=np.int32))
    assert of_ones_own(fitted().score(users)).all()


def test_vectors_are_of_length_one() -> None:
    vectors = [fitted().item_factors_, fitted().item_vectors(NEW_ITEMS), fitted().user_vectors(FANS)]
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(vectors), axis=1), 1, atol=1e-5)


def test_known_items_have_more_than_their_attributes() -> None:
    by_attributes = fitted().item_vectors(TRAIN.item_table)
    np.testing.assert_allclose(by_attributes[0], by_attributes[7], atol=1e-6)
    assert np.abs(fitted().item_factors_[0] - fitted().item_factors_[7]).max() > 1e-3


def test_a_source_without_attributes_is_enough_for_histories() -> None:
    model = small().fit(BARE)
    assert len(model.item_values_) == len(model.user_values_) == 0
    assert of_ones_own(model.score(FANS)).all()
    new = model.item_vectors(pd.DataFrame({"item_id": [100, 101]}))
    np.testing.assert_array_equal(new[0], new[1])
    assert np.linalg.norm(new[0]) == pytest.approx(1, abs=1e-5)


def test_only_the_latest_events_are_read() -> None:
    latest = [[0], [9], [2], [3], [12], [5]]
    long, short, other = fitted().user_vectors(Histories.of([[[8], *latest], latest, [[8], *latest[1:]]], n_items=24))
    np.testing.assert_allclose(long, short, atol=1e-5)
    assert np.abs(short - other).max() > 1e-4


def test_saved_and_loaded_it_gives_new_items_and_users_the_same_vectors(tmp_path: Path) -> None:
    save(fitted(), tmp_path)
    model: Any = load(tmp_path)
    np.testing.assert_array_equal(model.item_vectors(NEW_ITEMS), fitted().item_vectors(NEW_ITEMS))
    np.testing.assert_array_equal(model.user_vectors(FANS), fitted().user_vectors(FANS))
    np.testing.assert_array_equal(model.score(TRAIN.histories), fitted().score(TRAIN.histories))


def test_the_loss_is_a_corrected_softmax_over_the_targets_of_the_batch() -> None:
    nothing = sparse.csr_array((12, 0), dtype=np.float32)
    task = TwoTowerNetwork(nothing, nothing, dim=4, max_len=5, temperature=0.5, id_dropout=0.0, batch_events=64).eval()
    histories = train_on([[[item] for basket in user for item in basket] for user in random_baskets(12, 12)], 12)
    task.learn_from(histories.histories)
    offsets = histories.histories.offsets
    start, length = offsets[:3].copy(), np.minimum(np.diff(offsets)[:3], 5)
    loss = task.loss(Windows(start, length)).item()

    items = task.items(np.arange(12), nothing).detach().double().numpy()
    states, targets = [], []
    for first, n in zip(start, length, strict=True):
        taken = histories.histories.item_idx[first : first + n]
        after = task.users(Histories.of([[[item] for item in taken[:m]] for m in range(1, n)], 12), nothing[: n - 1])
        states.extend(after)
        targets.extend(taken[1:])
    popularity = 1 + np.bincount(histories.histories.item_idx, minlength=12)
    expected_often = np.log(popularity / popularity.sum() * len(targets))
    each = []
    for state, target in zip(states, targets, strict=True):
        scores = items @ state / 0.5
        others = [np.exp(scores[item] - expected_often[item]) for item in targets if item != target]
        each.append(np.log(np.exp(scores[target]) + sum(others)) - scores[target])
    assert loss == pytest.approx(np.mean(each), rel=1e-4)


def test_some_ids_are_dropped_in_training() -> None:
    task = fitted().network().train()
    task.item_tower.id_dropout = 0.5
    torch.manual_seed(0)
    with torch.no_grad():
        numbers = np.zeros(400, dtype=np.int64)
        vectors = task.items(numbers, fitted().item_attributes_[numbers])
    distinct, counts = torch.unique(vectors.round(decimals=4), dim=0, return_counts=True)
    assert len(distinct) == 2
    assert counts.min() > 150


def test_runs_on_other_attributes_share_no_checkpoint(tmp_path: Path, monkeypatch) -> None:
    folders: list[str] = []
    monkeypatch.setattr("shutil.rmtree", lambda folder, **_: folders.append(str(folder)))  # as if each was killed
    turned = replace(TRAIN, item_table=TRAIN.item_table.assign(category=TRAIN.item_table.category.to_numpy()[::-1]))
    for train in (TRAIN, turned):
        model = TwoTower(dim=4, training=Training(max_epochs=1, checkpoints=str(tmp_path), checkpoint_every_s=0))
        model.fit(train)
    assert len(set(folders)) == 2


def test_a_new_user_has_no_training_users_attributes() -> None:
    unknown_segments = pd.DataFrame({"user_id": range(3), "segment": ["none of them"] * 3})
    np.testing.assert_array_equal(fitted().user_vectors(FANS), fitted().user_vectors(FANS, unknown_segments))
    known = replace(FANS, user_idx=np.array([0, -1, 2]))
    assert np.abs(fitted().user_vectors(known) - fitted().user_vectors(FANS)).max(axis=1).astype(bool).tolist() == [
        True,
        False,
        True,
    ]
