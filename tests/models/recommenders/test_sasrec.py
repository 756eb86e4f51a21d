import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.saving import load, save
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import random_baskets, train_on

N_ITEMS = 8
CIRCLE = train_on([[[(user + step) % N_ITEMS] for step in range(12)] for user in range(32)], N_ITEMS)
"""After each item comes the next one, and the first after the last."""
STARTS = Histories.of([[[(first + step) % N_ITEMS] for step in range(5)] for first in range(N_ITEMS)], N_ITEMS)
NEXT = (np.arange(N_ITEMS) + 5) % N_ITEMS
SHOP = train_on(random_baskets(60, 20), 20)


def small(epochs: int = 3, **settings: Any) -> SASRec:
    usual = {"dim": 16, "n_blocks": 1, "max_len": 6, "batch_events": 64, "learning_rate": 0.01, "dropout": 0.0}
    return SASRec(**(usual | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "softmax"},
        {"loss": "softmax", "block": "ligr"},
        {"loss": "sampled_softmax"},
        {"loss": "sampled_softmax", "log_q": True, "popularity": 0.5},
        {"loss": "sampled_softmax", "own_items": True},
        {"loss": "sampled_softmax", "temperature": 0.1},
        {"loss": "sampled_softmax", "temperature": 0.1, "own_items": True},
        {"loss": "softmax", "temperature": 0.1},
        {"loss": "bce"},
        {"loss": "gbce"},
        {"loss": "gbce", "gbce_t": 0.0},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_every_loss_learns_the_order(settings: dict[str, Any]) -> None:
    model = small(25, n_negatives=4, **settings).fit(CIRCLE)
    np.testing.assert_array_equal(model.score(STARTS).argmax(axis=1), NEXT)


def test_with_a_temperature_scores_are_cosines() -> None:
    hot, cold = (small(1, temperature=temperature, learning_rate=1e-9).fit(CIRCLE) for temperature in (1.0, 0.1))
    np.testing.assert_allclose(10 * hot.score(STARTS), cold.score(STARTS), rtol=1e-3, atol=1e-4)
    assert np.abs(hot.score(STARTS)).max() <= 1


def test_histories_of_any_length_get_finite_scores() -> None:
    model = small().fit(SHOP)
    some = Histories.of([[], [[3]], [[3], [4, 5]], [[item] for item in range(20)] * 3, []], n_items=20)
    scores = model.score(some)
    assert np.isfinite(scores).all()
    popularity = np.bincount(SHOP.histories.item_idx, minlength=20)
    np.testing.assert_array_equal(scores[[0, 4]], [popularity, popularity])
    alone = np.concatenate([model.score(some.take([row])) for row in range(5)])
    np.testing.assert_allclose(scores, alone, atol=1e-5)


@pytest.mark.parametrize("own_items", [False, True])
def test_of_a_long_history_only_the_latest_events_count(own_items: bool) -> None:
    model = small(own_items=own_items).fit(SHOP)
    latest = [[7], [1], [2], [7], [9], [3]]
    long, short = model.score(Histories.of([[[5], [6], [8], *latest], latest], n_items=20))
    np.testing.assert_allclose(long, short, atol=1e-5)
    other = model.score(Histories.of([[[8], *latest[1:]]], n_items=20))[0]
    assert np.abs(other - short).max() > 1e-4


def bought_again() -> tuple[Train, np.ndarray]:
    """Four times in five one of the customer's three favourites, else any item; and what was bought after that."""
    rng = np.random.default_rng(0)
    favourites = np.array([rng.choice(30, 3, replace=False) for _ in range(150)])
    taken = np.where(rng.random((150, 14)) < 0.8, rng.permuted(np.tile(favourites, (1, 5)), axis=1)[:, :14], -1)
    taken = np.where(taken < 0, rng.integers(0, 30, taken.shape), taken)
    return train_on(taken[:, :-1, None].tolist(), 30), taken[:, -1]


def test_own_items_learn_that_customers_buy_again() -> None:
    train, bought = bought_again()
    hits = {}
    for own_items in (False, True):
        model = small(12, own_items=own_items, max_len=20, n_negatives=30, learning_rate=0.005, dropout=0.1)
        best = np.argsort(-model.fit(train).score(train.histories), axis=1)[:, :3]
        hits[own_items] = (best == bought[:, None]).any(axis=1).mean()
    assert hits[True] > hits[False] + 0.15
    assert hits[True] > 0.65


def with_gaps() -> Train:
    """A long pause brings item 0 or 1, as the user's first item was even or odd; else one's own item comes again."""
    rng = np.random.default_rng(0)
    items, times = [], []
    for user in range(60):
        now, kind = 0, user % 2
        items.append([[2 + kind]])
        times.append(0)
        for long in rng.random(11) < 0.4:
            now += 10**7 if long else 60
            items[-1].append([kind if long else 2 + kind])
            times.append(now)
    train = train_on(items, 4)
    return replace(train, histories=replace(train.histories, timestamp=np.array(times)))


def test_pauses_are_read_where_the_context_names_them() -> None:
    train = with_gaps()
    one_pause = replace(Histories.of([[[2], [2], [2]]], n_items=4), timestamp=np.array([0, 60, 120]))
    another = replace(one_pause, timestamp=np.array([0, 60, 10**7]))
    for context, differs in ([], False), (["gap"], True):
        model = small(3, context=context).fit(train)
        assert (np.abs(model.score(one_pause) - model.score(another)).max() > 1e-4) == differs


def test_event_types_can_decide_what_comes_next() -> None:
    """After an event of type 1 comes item 0, after type 0 item 1: without the type there is nothing to go by."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, (60, 10)).astype(np.int8)
    items = np.concatenate([np.full((60, 1), 2), 1 - kind[:, :-1]], axis=1)
    train = train_on(items[:, :, None].tolist(), 3)
    train = replace(train, histories=replace(train.histories, event_type=kind.ravel()))
    model = small(15, context=["event_type"]).fit(train)
    np.testing.assert_array_equal(model.score(train.histories).argmax(axis=1), 1 - kind[:, -1])


@pytest.mark.parametrize(
    "settings", [{"own_items": True}, {"context": ["gap", "repeat"], "block": "ligr"}], ids=["own items", "context"]
)
def test_saved_as_plain_files_it_scores_alike(settings: dict[str, Any], tmp_path: Path) -> None:
    model = small(**settings).fit(SHOP)
    save(model, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"settings.json", "arrays.npz", "weights.safetensors"}
    assert json.loads((tmp_path / "settings.json").read_text())["training"]["max_epochs"] == 3
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert [*arrays] == ["popularity_"]
    np.testing.assert_array_equal(load(tmp_path).score(SHOP.histories), model.score(SHOP.histories))


def test_another_model_saved_to_the_folder_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    save(small(1).fit(SHOP), tmp_path)
    save(Popular().fit(SHOP), tmp_path)
    assert [name for name in vars(load(tmp_path)) if name.endswith("_")] == ["popularity_"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "hinge"}, r"SASRec: loss='hinge' must be one of softmax, sampled_softmax, bce, gbce"),
        ({"loss": "softmax", "own_items": True}, r"own_items=True must be False unless loss=sampled_softmax"),
        ({"loss": "bce", "own_items": True}, r"own_items=True must be False unless loss=sampled_softmax"),
        ({"loss": "gbce", "log_q": True}, r"log_q=True must be False unless loss=sampled_softmax"),
        ({"context": ["weather"]}, r"context=\['weather'\] must hold names among gap, repeat, event_type, channel"),
        ({"block": "mamba"}, r"block='mamba' must be one of classic, ligr"),
        ({"heads": 3}, r"heads=3 must divide dim=16"),
    ],
    ids=["loss", "own items, softmax", "own items, bce", "log q", "context", "block", "heads"],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_without_any_order_it_warns_and_scores_as_untrained(caplog) -> None:
    single = train_on([[[0, 1]], [[2]]], n_items=3)
    model = small(1).fit(single)
    assert "no user has two baskets, so there is no order to learn from" in caplog.text
    with torch.random.fork_rng():
        torch.manual_seed(1)
        untrained = small().network(3).eval()
    np.testing.assert_allclose(model.score(single.histories), untrained.score(single.histories), atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"accumulate_grad_batches": 2},
        {"gradient_clip_val": 1.0},
        {"precision": "bf16-mixed"},
        {"precision": "bf16-mixed", "gradient_clip_val": 1.0},
    ],
    ids=["accumulate_grad_batches", "gradient_clip_val", "bf16", "bf16 and gradient_clip_val"],
)
def test_every_way_to_train_makes_a_difference_and_learns(settings: dict[str, Any]) -> None:
    losses: list[float] = []
    plain, other = small(5), small(5)
    other.training = Training(max_epochs=5, **settings)
    with on_epoch(lambda _, figures: losses.append(figures["train_loss"])):
        other.fit(SHOP)
    assert losses[-1] < losses[0]
    plain.fit(SHOP)
    assert any((plain.weights_[name] != other.weights_[name]).any() for name in plain.weights_)


def test_gradients_are_clipped_and_accumulated() -> None:
    """Adam divides by a gradient's size unless it is far below 1e-8; and one step moves no weight by more than lr."""
    moved = {}
    for name, settings in {
        "clipped": {"gradient_clip_val": 1e-14},
        "once": {"accumulate_grad_batches": 1000},
        "plain": {},
    }.items():
        with torch.random.fork_rng():
            torch.manual_seed(1)
            start = small(learning_rate=0.001).network(20).state_dict()
        model = small(learning_rate=0.001)
        model.training = Training(max_epochs=1, **settings)
        model.fit(SHOP)
        moved[name] = max(np.abs(model.weights_[each] - start[each].numpy()).max() for each in start)
    assert moved["clipped"] < 1e-4
    assert 0.0009 < moved["once"] < 0.0011 < moved["plain"]


def test_runs_that_differ_share_no_checkpoint(tmp_path: Path, monkeypatch) -> None:
    kept = Training(max_epochs=3, checkpoints=str(tmp_path), checkpoint_every_s=0)
    folders: list[str] = []
    monkeypatch.setattr("shutil.rmtree", lambda folder, **_: folders.append(str(folder)))  # as if each was killed
    fewer = replace(SHOP, histories=SHOP.histories.keep(np.arange(len(SHOP.histories.item_idx)) > 5))
    for model in (small(), small(seed=2), small(dropout=0.1), small(epochs=2)):
        model.training = replace(kept, max_epochs=model.training.max_epochs)
        model.fit(SHOP)
    model = small()
    model.training = kept
    model.fit(fewer)
    assert len(set(folders)) == 5
