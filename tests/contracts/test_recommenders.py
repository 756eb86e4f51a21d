"""What ``Recommender`` promises, asked of every model there is a yaml for."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from omniretail.models.protocols import Recommender, UnknownUserError
from omniretail.models.saving import load, save
from omniretail.models.top_k import recommend
from omniretail.policies.seen import hide_seen
from omniretail.views.histories import Histories
from tests.conftest import ROOT
from tests.models.factories import random_baskets, train_on

ELSEWHERE = {"recbole"}
"""One yaml for dozens of models, from a package that is optional: they have their own tests."""
WITH_PROFILE = ["two_tower+svd"]
"""These take a profile encoder or none; the others that take one have one in their yaml."""
NAMES = sorted({path.stem for path in (ROOT / "configs/model/recommender").glob("*.yaml")} - ELSEWHERE) + WITH_PROFILE
SAME_FOR_ALL_BUT_OWN_ITEMS = {"popular", "recent_popular", "personal_top"}
"""By design these tell no other user's tastes apart, so no pattern can be completed."""
ALIKE_OR_ASKED_ALREADY = SAME_FOR_ALL_BUT_OWN_ITEMS | set(WITH_PROFILE)
"""Not to be shown the checkerboard; that of a model with another input is the model's own."""
ONE_VECTOR_PER_USER = {"bpr"}
"""By design these serve training users only."""

N_USERS, N_ITEMS = 640, 20
CHECKERBOARD = train_on(
    [[[item for item in range(N_ITEMS) if item % 2 == user % 2 and item != user % N_ITEMS]] for user in range(N_USERS)],
    N_ITEMS,
)
"""Even users took the even items, odd users the odd ones, each all but one: their own number, modulo the catalogue."""
ONE_BY_ONE = train_on(
    [
        np.random.default_rng(user).permutation(CHECKERBOARD.histories.take([user]).item_idx)[:, None].tolist()
        for user in range(N_USERS)
    ],
    N_ITEMS,
)
"""The same, one item a basket, in any order."""
LEARN_FROM_ORDER = {"sasrec", "gru4rec", "two_tower", *WITH_PROFILE}
"""These predict a basket from those before it."""
SHOP = train_on(random_baskets(60, 30), 30)

every_model = pytest.mark.parametrize("name", NAMES)


def made(name: str) -> Recommender:
    trainer = OmegaConf.load(ROOT / "configs/trainer/cpu.yaml")
    trainer.update(epochs=40, checkpoints=None)
    name, _, encoder = name.partition("+")
    model = OmegaConf.load(ROOT / f"configs/model/recommender/{name}.yaml")
    if encoder:
        model.encoder = OmegaConf.load(ROOT / f"configs/model/profile/{encoder}.yaml")
    return instantiate(OmegaConf.create({"seed": 1, "trainer": trainer, "model": model}).model)


@cache
def fitted(name: str) -> Recommender:
    return made(name).fit(SHOP)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ALIKE_OR_ASKED_ALREADY])
def test_completes_the_checkerboard(name: str) -> None:
    train = ONE_BY_ONE if name in LEARN_FROM_ORDER else CHECKERBOARD
    ranked, _ = recommend(made(name).fit(train), train.histories, k=1, policy=hide_seen)
    assert np.array_equal(ranked[:, 0], np.arange(N_USERS) % N_ITEMS)


@every_model
def test_scores_are_float32_finite_and_of_the_catalogues_width(name: str) -> None:
    scores = fitted(name).score(SHOP.histories)
    assert scores.dtype == np.float32
    assert scores.shape == (60, 30)
    assert np.isfinite(scores).all()


@every_model
def test_a_row_depends_on_its_user_alone(name: str) -> None:
    together = fitted(name).score(SHOP.histories)
    alone = np.concatenate([fitted(name).score(SHOP.histories.take([user])) for user in range(60)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_allclose(together[order], fitted(name).score(SHOP.histories.take(order)), rtol=1e-4, atol=1e-6)


@every_model
def test_the_same_seed_gives_the_same_scores(name: str) -> None:
    again = made(name).fit(SHOP)
    np.testing.assert_array_equal(again.score(SHOP.histories), fitted(name).score(SHOP.histories))


@every_model
def test_refitting_forgets(name: str) -> None:
    model = made(name).fit(CHECKERBOARD).fit(SHOP)
    np.testing.assert_array_equal(model.score(SHOP.histories), fitted(name).score(SHOP.histories))


@every_model
def test_saved_and_loaded_gives_equal_scores(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    np.testing.assert_array_equal(load(tmp_path).score(SHOP.histories), fitted(name).score(SHOP.histories))


@every_model
def test_serves_a_user_unknown_to_training_or_says_that_it_cannot(name: str) -> None:
    stranger = Histories.of([[[3, 5], [8]]], n_items=30)
    if name in ONE_VECTOR_PER_USER:
        with pytest.raises(UnknownUserError, match="1 of 1 users who were not in training"):
            fitted(name).score(stranger)
    else:
        assert np.isfinite(fitted(name).score(stranger)).all()


@every_model
def test_an_empty_history_gets_finite_scores(name: str) -> None:
    scores = fitted(name).score(Histories.of([[], []], n_items=30))
    assert scores.shape == (2, 30)
    assert np.isfinite(scores).all()


@every_model
def test_no_users_no_scores(name: str) -> None:
    assert fitted(name).score(SHOP.histories.take([])).shape == (0, 30)


@every_model
def test_what_is_done_to_scores_does_not_reach_the_model(name: str) -> None:
    scores = fitted(name).score(SHOP.histories)
    before = scores.copy()
    scores[:] = -np.inf
    np.testing.assert_array_equal(fitted(name).score(SHOP.histories), before)


@every_model
def test_one_user_and_one_item_are_enough(name: str) -> None:
    tiny = train_on([[[0]]], n_items=1)
    assert np.isfinite(made(name).fit(tiny).score(tiny.histories)).all()
