"""What every recommender promises, asked of RecBole's: a sample by default, the whole zoo in the slow tier."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.scoring import needs_known_users
from omniretail.models.recommenders.recbole.zoo import ZOO
from omniretail.models.saving import load, save
from omniretail.models.top_k import recommend
from omniretail.policies.seen import hide_seen
from omniretail.views.histories import Histories
from tests.models.factories import train_on
from tests.models.recommenders.recbole.conftest import N_ITEMS, N_USERS, as_strangers, needs_recbole, shop, without_last

pytestmark = needs_recbole

SAMPLE = ["BPR", "EASE", "ItemKNN", "MultiVAE", "Pop", "GRU4Rec", "FPMC", "SASRecF", "CKE"]
CANNOT_RUN_HERE = {
    "NCL": "needs the package faiss",
    "KGAT": "needs the package dgl",
    "KGIN": "needs the package torch_scatter",
    "MCCLK": "needs the package torch_scatter",
    "GRU4RecKG": "needs vectors of a knowledge graph",
    "KSR": "needs vectors of a knowledge graph",
}
DRAWS_WHILE_SCORING = {"KTUP"}
SMALL_SHOP = {
    "RaCT": {"metrics_k": 20},
    "GRU4RecCPR": {"reranker_CAN_NUM": "5"},
    "SASRecCPR": {"reranker_CAN_NUM": "5"},
}

every_model = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow)
        for name, family in ZOO.items()
        if family != "context" and name not in CANNOT_RUN_HERE
    ],
)


def made(name: str) -> RecBole:
    params = {"train_batch_size": 128, **SMALL_SHOP.get(name, {})}
    sequences = {"MAX_ITEM_LIST_LENGTH": 8} if ZOO[name] == "sequential" else {}
    return RecBole(name, {**params, **sequences}, epochs=1)


@cache
def fitted(name: str) -> RecBole:
    return made(name).fit(shop())


@every_model
def test_scores_are_float32_finite_and_of_the_catalogues_width(name: str) -> None:
    scores = fitted(name).score(shop().histories)
    assert scores.dtype == np.float32
    assert scores.shape == (N_USERS, N_ITEMS)
    assert np.isfinite(scores).all()
    assert scores.flags.writeable


@every_model
def test_a_row_depends_on_its_user_alone(name: str) -> None:
    if name in DRAWS_WHILE_SCORING:
        pytest.skip(f"{name} draws a number for each pair while it scores")
    together = fitted(name).score(shop().histories)
    alone = np.concatenate([fitted(name).score(shop().histories.take([user])) for user in range(12)])
    np.testing.assert_allclose(together[:12], alone, rtol=1e-4, atol=1e-5)


@every_model
def test_the_same_seed_gives_the_same_scores(name: str) -> None:
    again = made(name).fit(shop())
    np.testing.assert_array_equal(again.score(shop().histories), fitted(name).score(shop().histories))


@every_model
def test_saved_and_loaded_gives_equal_scores(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    np.testing.assert_array_equal(load(tmp_path).score(shop().histories), fitted(name).score(shop().histories))


@every_model
def test_serves_a_history_given_now_or_says_that_it_cannot(name: str) -> None:
    strangers = as_strangers(shop().histories)
    if needs_known_users(name):
        with pytest.raises(UnknownUserError, match=f"RecBole's {name} .* {N_USERS} of {N_USERS} users"):
            fitted(name).score(strangers)
    else:
        np.testing.assert_array_equal(fitted(name).score(strangers), fitted(name).score(shop().histories))


@every_model
def test_without_a_history_the_popular_list_is_shown(name: str) -> None:
    popularity = np.bincount(shop().histories.item_idx, minlength=N_ITEMS)
    scores = fitted(name).score(Histories.of([[], []], n_items=N_ITEMS))
    np.testing.assert_array_equal(scores, np.tile(popularity, (2, 1)))


@every_model
def test_no_users_no_scores(name: str) -> None:
    assert fitted(name).score(shop().histories.take([])).shape == (0, N_ITEMS)


@pytest.mark.parametrize("name", ["EASE", "MultiVAE", "GRU4Rec", "SASRecF"])
def test_a_longer_history_changes_what_comes_next(name: str) -> None:
    now, before = shop().histories, without_last(shop().histories)
    assert not np.allclose(fitted(name).score(now), fitted(name).score(before))


@pytest.mark.parametrize("name", ["EASE", "ItemKNN", "LightGCN", "MultiDAE"])
def test_completes_the_checkerboard(name: str) -> None:
    """Even users took the even items, odd users the odd ones, each all but one: that one must come first."""
    taken = [[[i for i in range(10) if i % 2 == user % 2 and i != user % 10]] for user in range(200)]
    board = train_on(taken, n_items=10)
    params = {"LightGCN": {"learning_rate": 0.05}, "MultiDAE": {"learning_rate": 0.02}}.get(name, {})
    model = RecBole(name, {"train_batch_size": 256, **params}, epochs=20).fit(board)
    ranked, _ = recommend(model, board.histories, k=1, policy=hide_seen)
    assert np.mean(ranked[:, 0] == np.arange(200) % 10) > 0.95


@pytest.mark.parametrize("name", CANNOT_RUN_HERE)
def test_what_cannot_run_says_what_it_lacks(name: str) -> None:
    with pytest.raises(ValueError, match=CANNOT_RUN_HERE[name]):
        RecBole(name).fit(shop())


def test_user_knn_knows_its_users_only() -> None:
    model = RecBole("ItemKNN", {"knn_method": "user"}).fit(shop())
    with pytest.raises(UnknownUserError):
        model.score(as_strangers(shop().histories))


def test_early_stopping_puts_the_best_weights_back() -> None:
    patient = RecBole("BPR", {"learning_rate": 0.05, "train_batch_size": 128}, epochs=30, patience=1).fit(shop())
    tireless = RecBole("BPR", {"learning_rate": 0.05, "train_batch_size": 128}, epochs=30).fit(shop())
    assert not np.array_equal(patient.score(shop().histories), tireless.score(shop().histories))
