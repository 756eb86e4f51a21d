from dataclasses import replace

import numpy as np
import pytest

from omniretail.core.errors import DataError
from omniretail.ids import Vocabulary
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.channel_walk import ChannelWalk
from omniretail.models.recommenders.ease import EASE
from omniretail.views.histories import Histories
from omniretail.views.item_channels import item_channels
from omniretail.views.train import Train
from tests.models.factories import train_on


def two_channels(items: list[list[int]], n_items: int) -> Train:
    """The first half of the items is channel a's, the rest b's."""
    train = train_on([[own] for own in items], n_items)
    channel = (train.histories.item_idx >= n_items // 2).astype(np.int8)
    return replace(train, histories=replace(train.histories, channel=channel), channels=Vocabulary.of(["a", "b"]))


PAIR = [[0, 4], [0, 1, 4], [2, 5], [2, 3, 5]]
"""Four customers; a has items 0-3, b 4-7. Whoever has 4 in b wants 0 and 1 in a, whoever has 5 wants 2 and 3."""


def test_an_item_belongs_to_the_channel_where_it_was_taken_most() -> None:
    train = two_channels(PAIR, 8)
    assert item_channels(train).tolist() == [0, 0, 0, 0, 1, 1, 0, 0]
    assert item_channels(train_on([[[0, 1]]], 3)).tolist() == [0, 0, 0]


def test_by_hand() -> None:
    model = ChannelWalk("a", source_weight=0.5, similarity_exponent=0.5, user_exponent=0.5, item_exponent=1.0)
    scores = model.fit(two_channels(PAIR, 8)).score(Histories.of([[[0]]], n_items=8))
    # Steps: to 0 from the first 1/2, from the second (who has two of a's) 1/(2 sqrt 2); to 1 from the second 1/sqrt 2.
    first, second = 1 / 2, 1 / (2 * np.sqrt(2))
    alike = np.sqrt([0.5 * first, 0.5 * second])  # the stranger's own step to 0 is 1/2
    assert scores[0, 0] == pytest.approx(alike @ [first, second], rel=1e-5)
    assert scores[0, 1] == pytest.approx(alike[1] / np.sqrt(2), rel=1e-5)
    assert not scores[0, [2, 3, 5, 6, 7]].any()


def test_another_channel_counts_its_share_of_the_targets_whole_weight() -> None:
    train = two_channels(PAIR, 8)
    of = {
        (weight, item): ChannelWalk("a", weight).fit(train).score(Histories.of([[[item]]], 8))[0]
        for weight in (0.0, 0.3, 0.6)
        for item in (1, 4)
    }
    assert not of[0.0, 4].any()
    np.testing.assert_allclose(of[0.6, 4], 2 * of[0.3, 4], rtol=1e-5)
    np.testing.assert_allclose(of[0.6, 1], of[0.0, 1], rtol=1e-5)
    model = ChannelWalk("a", 0.3).fit(train)
    parts = [weight * model._similarity(model.steps_, c).sum() for c, weight in enumerate(model.channel_weights_)]
    assert parts[1] == pytest.approx(0.3 * parts[0], rel=1e-5)


@pytest.mark.parametrize("model", [ChannelWalk("a"), EASE(l2=1, target_channel="a", source_weight=0.5)])
def test_who_is_new_in_a_channel_is_served_from_the_other(model: Recommender) -> None:
    best = model.fit(two_channels(PAIR, 8)).score(Histories.of([[[4]], [[5]]], n_items=8))[:, :4].argmax(axis=1)
    assert best.tolist() == [0, 2]


def test_in_ease_a_channel_that_weighs_nothing_is_as_good_as_not_there() -> None:
    both, alone = two_channels(PAIR, 8), two_channels([[item for item in own if item < 4] for own in PAIR], 8)
    nothing = EASE(l2=1, target_channel="a", source_weight=0.0).fit(both).score(both.histories)
    np.testing.assert_allclose(nothing[:, :4], EASE(l2=1).fit(alone).score(alone.histories)[:, :4], atol=1e-6)


def test_ease_with_weights_is_ease_on_the_weighed_matrix_in_both_of_its_forms() -> None:
    train = two_channels(PAIR, 8)
    x = np.zeros((4, 8))
    for user, own in enumerate(PAIR):
        x[user, own] = np.where(np.array(own) < 4, 1, np.sqrt(0.25))
    p = np.linalg.inv(x.T @ x + np.eye(8))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    scores = EASE(l2=1, target_channel="a", source_weight=0.25).fit(train).score(train.histories)
    np.testing.assert_allclose(scores, x @ b, atol=1e-5)
    many = two_channels(PAIR * 3, 8)  # more customers than items
    x = np.tile(x, (3, 1))
    p = np.linalg.inv(x.T @ x + np.eye(8))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    np.testing.assert_allclose(
        EASE(l2=1, target_channel="a", source_weight=0.25).fit(many).score(many.histories), x @ b, atol=1e-5
    )


def test_all_channels_count_alike_without_a_target() -> None:
    train = two_channels(PAIR, 8)
    assert ChannelWalk(None, source_weight=0.0).fit(train).score(Histories.of([[[4]]], 8))[0, 0] > 0


@pytest.mark.parametrize("model", [ChannelWalk("webb"), EASE(target_channel="webb")], ids=["walk", "ease"])
def test_a_channel_that_is_not_there_is_refused(model: Recommender) -> None:
    with pytest.raises(DataError, match="no channel 'webb'; choose target_channel among a, b"):
        model.fit(two_channels(PAIR, 8))
