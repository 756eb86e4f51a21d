from dataclasses import replace

import numpy as np
import pytest

from omniretail.ids import Vocabulary
from omniretail.models.profiles.one_channel import OneChannel
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.recommenders.profile_knn import ProfileKNN
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import train_on


def two_channels() -> Train:
    """Even customers took 0 to 3 of channel a and 8 to 11 of b, odd ones the others; b has items 8 to 15."""
    rng = np.random.default_rng(0)
    taken = [
        [np.r_[rng.permutation(4)[:2] + 4 * (user % 2), rng.permutation(4)[:3] + 4 * (user % 2) + 8].tolist()]
        for user in range(30)
    ]
    train = train_on(taken, 16)
    channel = (train.histories.item_idx >= 8).astype(np.int8)
    return replace(train, histories=replace(train.histories, channel=channel), channels=Vocabulary.of(["a", "b"]))


def test_only_the_channels_items_move_the_vector() -> None:
    encoder = OneChannel(CountSVD(dim=4), "b").fit(two_channels())
    same, other = Histories.of([[[0, 9]], [[5, 9]], [[9]]], 16), Histories.of([[[0, 13]]], 16)
    vectors = encoder.embed(same, at=1)
    np.testing.assert_allclose(vectors, np.tile(vectors[0], (3, 1)))
    assert np.abs(encoder.embed(other, at=1) - vectors[0]).max() > 0.1


def test_the_profile_of_one_channel_finds_neighbours_for_the_other() -> None:
    model = ProfileKNN(OneChannel(CountSVD(dim=4), "b"), k=5, own_weight=0.0).fit(two_channels())
    best = model.score(Histories.of([[[8, 9]], [[12, 13]]], 16))[:, :8].argmax(axis=1)
    assert (best >= 4).tolist() == [False, True]


def test_another_channel_is_refused_with_the_names_of_the_logs() -> None:
    with pytest.raises(ValueError, match="no channel 'c'; choose source_channel among a, b"):
        OneChannel(CountSVD(), "c").fit(two_channels())
