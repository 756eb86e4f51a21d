"""The protocol of ``Recommender``, tested for every yaml of the group."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate

from omniretail.config import compose
from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.popular import Popular
from omniretail.models.saving import load, save
from omniretail.models.top_k import recommend
from omniretail.policies.seen import hide_seen
from omniretail.views.histories import Histories
from tests.conftest import ROOT
from tests.models.factories import random_baskets, train_on

OWN_TESTS = {"recbole"}
"""One yaml for dozens of models, from an optional package."""
WITH_PROFILE = ["two_tower+svd"]
"""With a profile encoder where the yaml has none."""
NAMES = sorted({path.stem for path in (ROOT / "configs/model/recommender").glob("*.yaml")} - OWN_TESTS) + WITH_PROFILE
SAME_FOR_ALL_BUT_OWN_ITEMS = {"popular", "recent_popular", "personal_top"}
"""These do not learn from other users' tastes, so they complete no pattern."""
NO_CHECKERBOARD = SAME_FOR_ALL_BUT_OWN_ITEMS | set(WITH_PROFILE)
ONE_VECTOR_PER_USER = {"bpr"}
"""These score training users only."""

N_USERS, N_ITEMS = 640, 20
CHECKERBOARD = train_on(
    [[[item for item in range(N_ITEMS) if item % 2 == user % 2 and item != user % N_ITEMS]] for user in range(N_USERS)],
    N_ITEMS,
)
"""Even users have the even items, odd users the odd ones, each all but one: their own index modulo the catalogue."""
ONE_BY_ONE = train_on(
    [
        np.random.default_rng(user).permutation(CHECKERBOARD.histories.take([user]).item_idx)[:, None].tolist()
        for user in range(N_USERS)
    ],
    N_ITEMS,
)
"""The same, one item per basket, in random order."""
LEARN_FROM_ORDER = {"bsarec", "esasrec", "gru4rec", "hstu", "sasrec", "two_tower", *WITH_PROFILE}
"""These predict a basket from those before it."""
SHOP = train_on(random_baskets(60, 30), 30)
OTHER_SHOP = train_on(random_baskets(20, 25, seed=1), 25)

every_model = pytest.mark.parametrize("name", NAMES)


@cache
def config(name: str, max_epochs: int) -> Any:
    name, _, encoder = name.partition("+")
    profile = [f"model/profile@model.encoder={encoder}"] if encoder else []
    training = [f"trainer.max_epochs={max_epochs}", "trainer.checkpoints=null"]
    return compose(f"model=recommender/{name}", "source=simulate", *profile, *training).model


def made(name: str, max_epochs: int = 5) -> Any:
    return instantiate(config(name, max_epochs))


@cache
def fitted(name: str) -> Any:
    return made(name).fit(SHOP)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_CHECKERBOARD])
def test_completes_the_checkerboard(name: str) -> None:
    train = ONE_BY_ONE if name in LEARN_FROM_ORDER else CHECKERBOARD
    ranked, _ = recommend(made(name, max_epochs=40).fit(train), train.histories, k=1, policy=hide_seen)
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
    model = made(name).fit(OTHER_SHOP).fit(SHOP)
    np.testing.assert_array_equal(model.score(SHOP.histories), fitted(name).score(SHOP.histories))


@every_model
def test_saved_and_loaded_gives_equal_scores(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    np.testing.assert_array_equal(load(tmp_path).score(SHOP.histories), fitted(name).score(SHOP.histories))


@every_model
def test_eight_threads_get_the_same_scores(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    model, start = load(tmp_path), Barrier(8)  # loaded, so that all threads meet its lazy parts at once
    batches = [SHOP.histories.take(rows) for rows in np.array_split(np.arange(60), 8)]

    def scores(batch: Histories) -> list[np.ndarray]:
        start.wait()
        return [model.score(batch) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        for batch, answers in zip(batches, pool.map(scores, batches), strict=True):
            for answer in answers:
                np.testing.assert_allclose(answer, fitted(name).score(batch), rtol=1e-5, atol=1e-6)


@every_model
def test_scores_a_user_unknown_to_training_or_says_that_it_cannot(name: str) -> None:
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
def test_changes_of_scores_do_not_reach_the_model(name: str) -> None:
    scores = fitted(name).score(SHOP.histories)
    before = scores.copy()
    scores[:] = -np.inf
    np.testing.assert_array_equal(fitted(name).score(SHOP.histories), before)


@every_model
def test_items_of_which_nothing_is_known_are_no_favourites(name: str) -> None:
    """With ``task.catalogue=listed`` and in inner windows the catalogue has items without any event."""
    wide = train_on(random_baskets(60, 30), 33)
    scores = made(name).fit(wide).score(wide.histories)
    assert np.isfinite(scores).all()
    assert (scores[:, 30:] <= np.median(scores[:, :30], axis=1, keepdims=True)).all()


@every_model
def test_one_user_and_one_item_are_enough(name: str) -> None:
    tiny = train_on([[[0]]], n_items=1)
    assert np.isfinite(made(name).fit(tiny).score(tiny.histories)).all()


def settings(**values: Any) -> dict[str, Any]:
    return values


NETWORK = settings(learning_rate=0, weight_decay=-1)
SEQUENCE = settings(
    dim=0, max_len=0, dropout=1.5, loss="hinge", n_negatives=0, popularity=-1, context=["weather"], id_dropout=2
)
REFUSED = {
    "bitgcf": settings(dim=0, n_layers=0, own_share=1.5, temperature=0, n_negatives=0, batch_size=0, **NETWORK),
    "blend": settings(normalisation="log", k=0, candidates=0, horizon_days=0, n_windows=0, max_users=0),
    "bpr": settings(factors=0, learning_rate=0, regularization=-1, iterations=0, batch_size=0),
    "bsarec": settings(dim=0, n_blocks=0, heads=3, max_len=0, dropout=1.5, attention_dropout=1.5, alpha=1.5, c=0)
    | settings(temperature=0, batch_size=0, **NETWORK),
    "channel_walk": settings(source_weight=-1, similarity_exponent=-1),
    "cheby_cf": settings(order=0, flatness=0, factors=0, alpha=-1, beta=-1, iterations=0, weighting="logarithm"),
    "ease": settings(l2=-1, weighting="logarithm", source_weight=-1),
    "esasrec": settings(n_blocks=0, heads=3, event_dropout=-1, block="mamba", gbce_t=1.5, temperature=0, batch_events=0)
    | settings(**SEQUENCE, **NETWORK),
    "gfcf": settings(alpha=-1, factors=0, iterations=0, weighting="logarithm"),
    "gru4rec": settings(hidden=0, n_layers=0, bpr_max_regularization=-1, batch_events=0, **SEQUENCE, **NETWORK),
    "hstu": settings(dim=0, n_blocks=0, heads=3, max_len=0, dropout=1.5, n_negatives=0, temperature=0, batch_events=0)
    | settings(**NETWORK),
    "ials": settings(factors=0, regularization=-1, alpha=0, iterations=0, weighting="logarithm"),
    "item_knn": settings(k=0, shrinkage=-1, feature_weighting="bm25", weighting="logarithm"),
    "lightgcn": settings(dim=0, n_layers=-1, loss="hinge", temperature=0, n_negatives=0, warm_up_epochs=-1, **NETWORK)
    | settings(item_length=-1, regularization=-1, batch_size=0),
    "mult_vae": settings(hidden=0, latent=0, dropout=1.5, beta=-1, anneal_steps=-1, batch_size=0, **NETWORK)
    | settings(weighting="logarithm"),
    "personal_top": settings(ties="last"),
    "popular": settings(count="baskets"),
    "profile_knn": settings(k=0, half_life_days=0, own_weight=1.5),
    "profile_reranker": settings(candidates=0, horizon_days=0, ridge=0),
    "recbole": settings(epochs=0, patience=-1),
    "recent_popular": settings(half_life_days=0),
    "sasrec": settings(n_blocks=0, heads=3, event_dropout=-1, block="mamba", gbce_t=1.5, temperature=0, batch_events=0)
    | settings(**SEQUENCE, **NETWORK),
    "slim": settings(k=0, l1=-1, l2=-1, max_iter=0, tolerance=-1, weighting="logarithm"),
    "sparse_ease": settings(k=0, l2=0, weighting="logarithm"),
    "stan": settings(k=0, sample=0, item_decay=0, recency_days=0, neighbour_decay=0, match_decay=0, idf=-1, max_len=0),
    "tifu_knn": settings(k=0, m=0, r_b=1.5, r_g=-1, alpha=-1),
    "two_tower": settings(dim=0, max_len=0, temperature=0, id_dropout=1.5, batch_events=0, **NETWORK)
    | settings(profile_share=1, profile_snapshots=0),
    "two_stage": settings(candidates=0, features=["weather"], horizon_days=0, n_windows=0, max_users=0, truncation=0)
    | settings(objective="pairwise", n_estimators=0, learning_rate=0, num_leaves=1, min_child_samples=0, subsample=1.5)
    | settings(colsample_bytree=0, reg_lambda=-1, n_seeds=0),
    "up_cf": settings(r=0, q=-1, alpha=1.5),
    "user_knn": settings(k=0, shrinkage=-1, feature_weighting="unit", weighting="logarithm"),
    "vs_knn": settings(k=0, sample=0, decay="cubic", match_decay="cubic", idf=-1, max_len=0),
}
"""For each yaml, each setting that has a range, with a value outside it."""
ANY_VALUE = {
    "item_features",
    "item_vectors",
    "seed",
    "user_exponent",
    "item_exponent",
    "level",
    "levels",
    "target_channel",
    "log_q",
    "own_items",
}
PARTS = {"training", "encoder", "base", "members"}


@pytest.mark.parametrize(("name", "setting"), [(name, setting) for name, own in REFUSED.items() for setting in own])
def test_a_setting_out_of_range_is_refused_by_name(name: str, setting: str) -> None:
    with pytest.raises(ValueError, match=rf"^\w+: {setting}=.* must .*") as refusal:
        replace(made(name), **{setting: REFUSED[name][setting]})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(WITH_PROFILE)))
def test_every_setting_with_a_range_is_in_the_table(name: str) -> None:
    assert {field.name for field in fields(made(name))} - ANY_VALUE - PARTS == set(REFUSED[name])


@pytest.mark.parametrize("name", sorted(name for name, own in REFUSED.items() if "learning_rate" in own))
def test_training_that_diverges_names_the_learning_rate(name: str) -> None:
    with pytest.raises(ValueError, match="learning_rate"):
        replace(made(name), learning_rate=1e38).fit(SHOP)


def test_models_are_equal_by_identity_and_hashable() -> None:
    one, other = Popular(), Popular()
    assert one != other
    assert len({one, other}) == 2
