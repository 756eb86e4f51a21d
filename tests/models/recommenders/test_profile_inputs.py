"""Profiles read in training: they contain neither the basket to predict nor anything later."""

from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.random import Random
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.profiles.table import ProfileTable
from omniretail.models.recommenders.profile_inputs import ProfileInputs
from omniretail.views.histories import PER_EVENT, Histories
from omniretail.views.train import Train
from tests.models.profiles.shop import KINDS, N_ITEMS, ORDER_ONLY

ENCODERS = [CountSVD(dim=4), ProfileTable(), Random(dim=4)]
SHARE, SNAPSHOTS = 0.4, 3
every_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: type(encoder).__name__)


def profiles_read(encoder: ProfileEncoder, train: Train) -> dict[tuple[int, int], np.ndarray]:
    """The profile that is read to predict each basket of each user, first baskets excluded."""
    histories = train.histories
    vectors, number = ProfileInputs.of(encoder, train, SHARE, SNAPSHOTS).in_training(histories)
    last = np.append(np.diff(histories.basket) != 0, True)
    return {
        (int(histories.rows[event]), int(histories.basket[event]) + 1): vectors[number[event]]
        for event in np.flatnonzero(last)
    }


def changed_from(train: Train, user: int, basket: int) -> tuple[Train, int]:
    """Another target basket, and of all that anybody did from its beginning on nothing else is left."""
    histories = train.histories
    target = (histories.rows == user) & (histories.basket == basket)
    begins = int(histories.timestamp[target].min())
    arrays = {name: getattr(histories, name).copy() for name in PER_EVENT}
    arrays["item_idx"][target] = (arrays["item_idx"][target] + 7) % N_ITEMS
    arrays["value"][target] *= -100
    arrays["store"][target] = 2 - arrays["store"][target]
    changed = replace(histories, **arrays).keep((histories.timestamp < begins) | target)
    return replace(train, histories=changed), begins


def targets(train: Train) -> list[tuple[int, int]]:
    """Some baskets after the first moment."""
    n_baskets = train.histories.n_baskets
    return [(user, int(n_baskets[user]) - 1) for user in np.argsort(-n_baskets)[:40:20]]


@every_encoder
def test_the_target_and_all_that_comes_after_it_change_nothing(encoder: ProfileEncoder) -> None:
    before = profiles_read(encoder, KINDS)
    for user, basket in targets(KINDS):
        changed, begins = changed_from(KINDS, user, basket)
        after = profiles_read(encoder, changed)
        assert before[user, basket].any()
        np.testing.assert_array_equal(after[user, basket], before[user, basket])
        others = [key for key in after if key in before and _begins(KINDS, key) < begins]
        assert len(others) > 50
        for key in others:
            np.testing.assert_array_equal(after[key], before[key])


def _begins(train: Train, key: tuple[int, int]) -> float:
    of_basket = (train.histories.rows == key[0]) & (train.histories.basket == key[1])
    return train.histories.timestamp[of_basket].min(initial=np.iinfo(np.int64).max)


def test_the_vector_is_that_of_the_history_up_to_the_latest_snapshot() -> None:
    first, at, histories = KINDS.histories.timestamp.min(), KINDS.at, KINDS.histories
    snapshots = [int(np.ceil(first + (at - first) * (SHARE + (1 - SHARE) * n / SNAPSHOTS))) for n in range(SNAPSHOTS)]
    early = histories.keep(histories.timestamp < snapshots[0])
    fitted = CountSVD(dim=4).fit(replace(KINDS, histories=early, at=snapshots[0]))
    vectors = fitted.embed(early, snapshots[0]).astype(np.float64)
    given = profiles_read(CountSVD(dim=4), KINDS)
    n_read = 0
    for user, basket in [key for key in given if key[1] < histories.n_baskets[key[0]]]:
        begins = _begins(KINDS, (user, basket))
        latest = max((moment for moment in snapshots if moment <= begins), default=None)
        expected = np.zeros(4)
        if latest is not None:
            n_read += 1
            own = histories.keep(histories.timestamp < latest).take([user])
            expected = np.clip((fitted.embed(own, latest)[0] - vectors.mean(0)) / vectors.std(0), -5, 5)
        np.testing.assert_allclose(given[user, basket], expected, rtol=1e-4, atol=1e-4)
    assert 100 < n_read < len(given) - 100


def test_what_was_done_before_a_moment_does_count() -> None:
    other = KINDS.histories.item_idx.copy()
    other[KINDS.histories.rows == 3] = 0
    changed = replace(KINDS, histories=replace(KINDS.histories, item_idx=other))
    key = (3, int(KINDS.histories.n_baskets[3]) - 1)
    assert np.abs(profiles_read(ENCODERS[0], changed)[key] - profiles_read(ENCODERS[0], KINDS)[key]).max() > 0.01


def test_for_recommendations_profiles_are_as_of_the_cutoff() -> None:
    profiles = ProfileInputs.of(ProfileTable(), KINDS, SHARE, SNAPSHOTS)
    now = profiles.of_users(KINDS.histories)
    np.testing.assert_array_equal(now, profiles.of_users(KINDS.histories, KINDS.at))
    assert np.abs(now - profiles.of_users(KINDS.histories, KINDS.at + 30 * 24 * 3600)).max() > 0.1


def test_columns_are_standardised_at_the_first_snapshot() -> None:
    profiles = ProfileInputs.of(CountSVD(dim=4), KINDS, SHARE, SNAPSHOTS)
    early = KINDS.histories.keep(KINDS.histories.timestamp < profiles.snapshots[0])
    vectors = profiles.of_users(early, int(profiles.snapshots[0]))[early.lengths > 0]
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(vectors.std(axis=0), 1, atol=0.05)


def test_a_user_without_a_history_has_zeros() -> None:
    users = Histories.of([[], [[1]]], N_ITEMS)
    profiles = ProfileInputs.of(ProfileTable(), KINDS, SHARE, SNAPSHOTS).of_users(users)
    assert not profiles[0].any()
    assert profiles[1].any()


def test_a_log_of_one_instant_has_no_profiles_and_does_not_fail() -> None:
    once = replace(KINDS.histories, timestamp=np.full(len(KINDS.histories.item_idx), 5), basket=KINDS.histories.basket)
    profiles = ProfileInputs.of(CountSVD(dim=2), replace(KINDS, histories=once, at=6), SHARE, SNAPSHOTS)
    vectors, number = profiles.in_training(once)
    assert not number.any()
    assert not vectors[number].any()


def test_a_table_needs_dates() -> None:
    with pytest.raises(ValueError, match="a profile needs dates"):
        ProfileInputs.of(ProfileTable(), ORDER_ONLY, SHARE, SNAPSHOTS)
