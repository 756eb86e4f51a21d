from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omniretail.models.profiles.random import Random
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.recommenders.profile_knn import ProfileKNN
from omniretail.models.saving import load, save
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import random_baskets, train_on

N_USERS, N_ITEMS, DAY_S = 25, 12, 24 * 3600
BASKETS = random_baskets(N_USERS, N_ITEMS)


def daily(histories: Histories, start: int = 1_500_000_000) -> Histories:
    """A basket a day."""
    return replace(histories, timestamp=start + histories.basket.astype(np.int64) * DAY_S)


TRAIN = replace(train_on(BASKETS, N_ITEMS), histories=daily(train_on(BASKETS, N_ITEMS).histories), at=1_501_000_000)
FRESH = daily(Histories.of(BASKETS, N_ITEMS))


def shares_by_loops(baskets: list[list[int]], half_life_days: float) -> np.ndarray:
    shares, total = np.zeros(N_ITEMS), 0.0
    for age, basket in enumerate(reversed(baskets)):
        weight = 0.5 ** (age / half_life_days)
        shares[sorted(set(basket))] += weight
        total += weight
    return shares / total


def scores_by_loops(user: int, left_out: int | None, model: ProfileKNN) -> np.ndarray:
    vectors = CountSVD(dim=4).fit(TRAIN).embed(TRAIN.histories, TRAIN.at).astype(float)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = {other: unit[user] @ unit[other] for other in range(N_USERS) if other != left_out}
    nearest = [other for other in sorted(cosine, key=lambda other: -cosine[other])[: model.k] if cosine[other] > 0]
    shares = [shares_by_loops(baskets, model.half_life_days) for baskets in BASKETS]
    shared = np.average([shares[other] for other in nearest], axis=0, weights=[cosine[other] for other in nearest])
    return (1 - model.own_weight) * shared + model.own_weight * shares[user]


@pytest.mark.parametrize(("k", "half_life_days", "own_weight"), [(3, 2.0, 0.0), (6, 10.0, 0.7), (100, 1e9, 0.3)])
def test_scores_are_those_of_plain_loops(k: int, half_life_days: float, own_weight: float) -> None:
    model = ProfileKNN(CountSVD(dim=4), k, half_life_days, own_weight).fit(TRAIN)
    known, fresh = model.score(TRAIN.histories), model.score(FRESH)
    for user in range(N_USERS):
        assert known[user] == pytest.approx(scores_by_loops(user, user, model), abs=1e-5)
        assert fresh[user] == pytest.approx(scores_by_loops(user, None, model), abs=1e-5)


def test_when_a_history_lies_in_time_does_not_change_what_was_bought_again() -> None:
    model = ProfileKNN(CountSVD(dim=4), half_life_days=1.0).fit(TRAIN)
    np.testing.assert_allclose(model.score(daily(FRESH, start=0)), model.score(FRESH), rtol=1e-5)


def test_vectors_are_as_of_the_training_cutoff() -> None:
    times: list[int] = []

    class Recording(Random):
        def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
            times.extend(np.ravel(at).tolist())
            return super().embed(users, at)

    ProfileKNN(Recording(dim=4)).fit(TRAIN).score(FRESH)
    assert set(times) == {TRAIN.at}


def test_an_empty_history_gets_what_is_popular() -> None:
    model = ProfileKNN(CountSVD(dim=4), half_life_days=5.0).fit(TRAIN)
    expected = np.mean([shares_by_loops(baskets, 5.0) for baskets in BASKETS], axis=0)
    scores = model.score(Histories.of([[], [[1]]], N_ITEMS))
    assert scores[0] == pytest.approx(expected, abs=1e-6)
    assert scores[1, 1] > 0.7


def test_customers_of_another_kind_are_no_neighbours() -> None:
    model = ProfileKNN(CountSVD(dim=2), own_weight=0.0).fit(two_kinds())
    scores = model.score(Histories.of([[[0], [1]]], N_ITEMS))
    assert (scores[0, :6] > 0).all()
    assert scores[0, 6:] == pytest.approx(0, abs=1e-4)


def two_kinds() -> Train:
    """Even customers take the first six items, odd ones the others."""
    return train_on([[[6 * (user % 2) + (user // 2 + n) % 6] for n in range(4)] for user in range(24)], N_ITEMS)


def test_saved_and_loaded_it_says_with_which_encoder(tmp_path: Path) -> None:
    model = ProfileKNN(CountSVD(dim=3), k=4).fit(TRAIN)
    save(model, tmp_path)
    again = load(tmp_path)
    assert (again.label, again.encoder.dim) == ("ProfileKNN (CountSVD)", 3)
    np.testing.assert_array_equal(again.score(FRESH), model.score(FRESH))


def test_the_given_encoder_stays_as_it_is() -> None:
    encoder = CountSVD(dim=3)
    ProfileKNN(encoder).fit(TRAIN)
    assert not hasattr(encoder, "directions_")
