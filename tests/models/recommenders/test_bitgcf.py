from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from omniretail.ids import Vocabulary
from omniretail.models.recommenders.bitgcf import BiTGCF, BiTGCFNetwork
from omniretail.models.training import Training
from omniretail.nn.channels import exchanged
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import matrix_of, random_baskets, train_on


def small(epochs: int = 30, **settings: Any) -> BiTGCF:
    usual = {"dim": 16, "n_negatives": 20, "batch_size": 256}
    return BiTGCF(**(usual | settings), training=Training(max_epochs=epochs))


def two_channels(baskets: list, n_items: int) -> Train:
    """The first half of the items is channel a's, the rest b's."""
    train = train_on(baskets, n_items)
    channel = (train.histories.item_idx >= n_items // 2).astype(np.int8)
    return replace(train, histories=replace(train.histories, channel=channel), channels=Vocabulary.of(["a", "b"]))


def test_exchanged_by_hand() -> None:
    users = torch.tensor([[[1.0], [2.0], [4.0]], [[3.0], [5.0], [7.0]]])  # (2 channels, 3 customers, 1)
    degree = torch.tensor([[1.0, 3.0, 0.0], [3.0, 0.0, 2.0]])
    vectors = exchanged(users, degree, own_share=0.8)[..., 0]
    common = (1 * 1 + 3 * 3) / 4
    assert vectors[:, 0].tolist() == pytest.approx([(common + 0.8 * 1 + 0.2 * 3) / 2, (common + 0.8 * 3 + 0.2 * 1) / 2])
    assert vectors[:, 1].tolist() == [2, 2]  # only in a: the vector of a, in b too
    assert vectors[:, 2].tolist() == [7, 7]


def test_one_channel_is_exchanged_with_none() -> None:
    users = torch.randn(1, 5, 3)
    torch.testing.assert_close(exchanged(users, torch.ones(1, 5), 0.3), users)


def test_what_a_customer_took_in_one_channel_tells_what_they_want_in_the_other() -> None:
    rng = np.random.default_rng(0)
    taken = [[[int(item)] for item in 10 * (user % 2) + np.r_[rng.permutation(10)[:5]]] for user in range(60)]
    both = [[*own, *([[item + 20] for (item,) in own[:4]] if user >= 10 else [])] for user, own in enumerate(taken)]
    model = small().fit(two_channels(both, 40))  # items 20-39 are b's, customers 0-9 have never been there
    fresh = Histories.of([[[0], [3]], [[12]]], n_items=40)
    for scores in (model.score(two_channels(both, 40).histories.take(range(10))), model.score(fresh)):
        best = scores[:, 20:].argmax(axis=1)
        assert ((best >= 10) == (np.arange(len(scores)) % 2)).all()


@pytest.mark.parametrize("n_layers", [1, 2])
def test_without_a_start_of_ones_own_the_vectors_folded_in_are_those_learned(n_layers: int) -> None:
    train = two_channels(random_baskets(25, 12), 12)
    model = small(n_layers=n_layers)
    torch.manual_seed(0)
    task = BiTGCFNetwork(25, np.repeat([0, 1], 6), model)
    with torch.no_grad():
        task.vectors.weight.normal_()
        task.vectors.weight[:50] *= 1e-6
    task.learn_from(train.histories)
    fresh = replace(train.histories, user_idx=np.full(25, -1, dtype=np.int32))
    np.testing.assert_allclose(task.score(train.histories), task.score(fresh), atol=1e-4)


def test_batches_hold_every_pair_once_and_one_channel_each() -> None:
    baskets = random_baskets(20, 12)
    task = BiTGCFNetwork(20, np.repeat([0, 1], 6), small(batch_size=7))
    task.learn_from(two_channels(baskets, 12).histories)
    plan = task.batches(np.random.default_rng(0), parts=1)
    assert sorted(torch.cat([pairs for _, pairs in plan]).tolist()) == list(range(int(matrix_of(baskets, 12).sum())))
    assert all(((task.item[pairs] >= 6) == bool(channel)).all() for channel, pairs in plan)
