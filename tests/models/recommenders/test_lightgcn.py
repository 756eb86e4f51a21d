from typing import Any, Literal

import numpy as np
import pytest
import torch

from omniretail.models.recommenders.lightgcn import LightGCN, LightGCNNetwork
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on

RNG = np.random.default_rng(0)
CLUSTERS = [[[int(item)] for item in RNG.permutation(10)[:6] + 10 * (user % 2)] for user in range(60)]
"""Even users took some of the items 0-9, odd users some of 10-19."""
TRAIN = train_on(CLUSTERS, 20)

every_loss = pytest.mark.parametrize("loss", ["softmax", "bpr"])


def small(loss: str, epochs: int = 30, **settings: Any) -> LightGCN:
    usual = {"dim": 16, "n_negatives": 20, "batch_size": 256}
    return LightGCN(**(usual | settings), loss=loss, training=Training(max_epochs=epochs))  # type: ignore[arg-type]


@every_loss
def test_ranks_the_own_cluster_first_for_known_and_for_new_users(loss: str) -> None:
    model = small(loss).fit(TRAIN)
    fresh = Histories.of([*CLUSTERS, [[0], [1]], [[12]]], n_items=20)
    for users in (TRAIN.histories, fresh):
        best = np.argsort(-model.score(users), axis=1)[:, :6]
        assert ((best < 10).all(axis=1) | (best >= 10).all(axis=1)).all()
        assert ((best[:, 0] >= 10) == (np.arange(len(users)) % 2)).all()


@every_loss
def test_the_vector_folded_in_resembles_the_one_learned(loss: str) -> None:
    model = small(loss).fit(TRAIN)
    learned, folded = model.score(TRAIN.histories), model.score(Histories.of(CLUSTERS, n_items=20))
    alike = [np.corrcoef(one, other)[0, 1] for one, other in zip(learned, folded, strict=True)]
    assert min(alike) > 0.8


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_without_a_start_of_ones_own_the_vector_folded_in_is_the_one_learned(n_layers: int) -> None:
    """Layers of a user are sums over their items, so only the user's own first layer is missing."""
    baskets = random_baskets(25, 12)
    train = train_on(baskets, 12)
    torch.manual_seed(0)
    task = LightGCNNetwork(25, 12, small("bpr", n_layers=n_layers))
    with torch.no_grad():
        task.vectors.weight.normal_()
        task.vectors.weight[:25] *= 1e-6
    task.learn_from(train.histories)
    known, items, fold_in = task.factors()
    taken = matrix_of(baskets, 12)
    np.testing.assert_allclose(taken @ fold_in / np.sqrt(taken.sum(1, keepdims=True)), known, atol=1e-5)
    assert items.shape == fold_in.shape == (12, 16)


def test_the_papers_loss_by_hand() -> None:
    train = train_on([[[0]], [[1]]], n_items=2)  # each user has but one item not taken
    torch.manual_seed(0)
    task = LightGCNNetwork(2, 2, small("bpr", n_layers=1, regularization=0.1))
    task.learn_from(train.histories)
    users, items = task.vectors.weight.detach().numpy().reshape(2, 2, 16)
    mean = (users + items) / 2  # a user and their only item are each other's only neighbours
    above = (mean * mean).sum(1) - (mean * mean[::-1]).sum(1)
    expected = np.log1p(np.exp(-above)).mean() + 0.1 * (users**2 + items**2).sum() / (2 * 2)
    assert task.loss(torch.tensor([0, 1])).item() == pytest.approx(expected, rel=1e-5)


def test_softmax_by_hand() -> None:
    train = train_on([[[0]], [[1]]], n_items=2)
    torch.manual_seed(0)
    task = LightGCNNetwork(2, 2, small("softmax", n_layers=1, temperature=0.5))
    task.learn_from(train.histories)
    users, items = task.vectors.weight.detach().numpy().reshape(2, 2, 16)
    unit = (users + items) / np.linalg.norm(users + items, axis=1, keepdims=True)
    other = (unit[0] @ unit[1]) / 0.5
    assert task.loss(torch.tensor([0, 1])).item() == pytest.approx(np.log1p(np.exp(other - 2)), rel=1e-5)


def test_negatives_are_items_negative_items() -> None:
    baskets = random_baskets(20, 15)
    task = LightGCNNetwork(20, 15, small("bpr"))
    task.learn_from(train_on(baskets, 15).histories)
    torch.manual_seed(0)
    users = torch.arange(20).repeat(200)
    taken = matrix_of(baskets, 15)[users, task._negative_items(users)]
    chance = matrix_of(baskets, 15).mean(axis=1) ** 11  # drawn again ten times
    assert taken.mean() < chance.mean() + 0.02


@every_loss
def test_who_has_no_history_gets_the_popular_list(loss: Literal["softmax", "bpr"]) -> None:
    scores = small(loss, epochs=1).fit(TRAIN).score(Histories.of([[], [[3]]], n_items=20))
    np.testing.assert_array_equal(scores[0], np.bincount(TRAIN.histories.item_idx, minlength=20))


@every_loss
def test_no_layers_is_plain_factorisation_and_serves_new_users(loss: str) -> None:
    model = small(loss, n_layers=0).fit(TRAIN)
    best = model.score(Histories.of([[[0], [1]], [[12]]], n_items=20)).argmax(axis=1)
    assert (best >= 10).tolist() == [False, True]


def test_a_warm_up_learns_without_the_graph_and_the_rest_with_it() -> None:
    task = LightGCNNetwork(60, 20, small("softmax", warm_up_epochs=2))
    task.learn_from(TRAIN.histories)
    raw = task.vectors.weight.detach()
    for epoch, is_raw in [(0, True), (1, True), (2, False)]:
        task.epoch = epoch
        assert torch.equal(torch.cat(task.smoothed()), raw) == is_raw


def test_a_warm_up_ends_as_training_goes_on() -> None:
    plain, warmed, only = (small("softmax", epochs=3, warm_up_epochs=n).fit(TRAIN).item_factors_ for n in (0, 1, 3))
    assert len({each.tobytes() for each in (plain, warmed, only)}) == 3
    assert warmed.shape == (20, 16)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_lengths_of_items_count_in_ranking_as_much_as_is_asked_for(power: float) -> None:
    model = small("softmax", epochs=3, item_length=power).fit(TRAIN)
    products = small("softmax", epochs=3, item_length=1.0).fit(TRAIN).item_factors_
    length = np.linalg.norm(products, axis=1, keepdims=True)
    np.testing.assert_allclose(model.item_factors_, products / length * length**power, rtol=1e-5)


def test_half_precision_learns_what_full_precision_does() -> None:
    shape: dict[str, Any] = {"dim": 16, "n_negatives": 20, "batch_size": 256}
    trainings = [Training(max_epochs=30, precision=precision) for precision in ("32-true", "bf16-mixed")]
    full, half = (LightGCN(**shape, training=training).fit(TRAIN) for training in trainings)
    assert (full.item_factors_ != half.item_factors_).any()
    best = np.argsort(-half.score(TRAIN.histories), axis=1)[:, :6]
    assert ((best >= 10) == (np.arange(60) % 2 == 1)[:, None]).all()
    scores = [model.score(TRAIN.histories).ravel() for model in (full, half)]
    assert np.corrcoef(scores)[0, 1] > 0.99
