"""VS-kNN and STAN against loops over sessions, as the papers write them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.recommenders.stan import STAN
from omniretail.models.recommenders.vs_knn import VSKNN
from omniretail.models.session_neighbours import decayed
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import train_on

N_ITEMS = 12
RNG = np.random.default_rng(3)
TRAINING = [RNG.integers(0, N_ITEMS, RNG.integers(1, 8)).tolist() for _ in range(60)]
ASKED = [RNG.integers(0, N_ITEMS, RNG.integers(1, 8)).tolist() for _ in range(20)]
DAY = 24 * 3600


def clicks(sessions: Sequence[Sequence[int]]) -> list[list[list[int]]]:
    return [[[item] for item in session] for session in sessions]


def one_session_a_day(sessions: Sequence[Sequence[int]]) -> Train:
    train = train_on(clicks(sessions), N_ITEMS)
    return replace(
        train, histories=replace(train.histories, timestamp=train.histories.timestamp + train.histories.rows * DAY)
    )


TRAIN = one_session_a_day(TRAINING)


def shared(session: list[int], other: list[int]) -> list[tuple[int, int, int]]:
    """(age in the session, item, last position in the other) of each shared item, newest first."""
    newest = {item: len(session) - 1 - place for place, item in enumerate(session)}
    last = {item: place for place, item in enumerate(other)}
    return sorted((age, item, last[item]) for item, age in newest.items() if item in last)


def by_loops(
    session: list[int],
    k: int,
    similarity: Callable[[list, int, int], float],
    gain: Callable[[int, int, list[int], int], float],
    idf: float,
) -> np.ndarray:
    """Score of each item: the sum over the k most similar sessions of similarity x gain, newer ones first."""
    pairs = [(shared(session, other), n) for n, other in enumerate(TRAINING)]
    neighbours = [(similarity(both, n, len(session)), n) for both, n in pairs if both]
    scores = np.zeros(N_ITEMS)
    for value, n in sorted(neighbours, key=lambda each: (-each[0], -each[1]))[:k]:
        age, _, event = shared(session, TRAINING[n])[0]
        for item in set(TRAINING[n]):
            scores[item] += value * gain(age, event, TRAINING[n], item)
    holding = np.array([sum(item in other for other in TRAINING) for item in range(N_ITEMS)])
    return scores * (1 + idf * np.log(len(TRAINING) / holding))


@pytest.mark.parametrize("idf", [0.0, 2.0])
@pytest.mark.parametrize("k", [5, 100])
def test_vs_knn_is_that_of_loops(k: int, idf: float) -> None:
    model = VSKNN(k=k, decay="quadratic", match_decay="log", idf=idf).fit(TRAIN)
    scores = model.score(Histories.of(clicks(ASKED), N_ITEMS))
    for session, row in zip(ASKED, scores, strict=True):
        expected = by_loops(
            session,
            k,
            similarity=lambda both, n, length: sum(((length - age) / length) ** 2 for age, *_ in both),
            gain=lambda age, event, other, item: 1 / np.log10(age + 1.7),
            idf=idf,
        )
        np.testing.assert_allclose(row, expected, rtol=1e-5)


@pytest.mark.parametrize("k", [5, 100])
def test_stan_is_that_of_loops(k: int) -> None:
    model = STAN(k=k, item_decay=1.5, recency_days=20.0, neighbour_decay=2.0, match_decay=3.0, idf=0.5).fit(TRAIN)
    ends = np.array([day + (len(session) - 1) / DAY for day, session in enumerate(TRAINING)])
    scores = model.score(Histories.of(clicks(ASKED), N_ITEMS))
    for session, row in zip(ASKED, scores, strict=True):
        expected = by_loops(
            session,
            k,
            similarity=lambda both, n, length: (
                sum(np.exp(-age / 1.5) for age, *_ in both)
                / np.sqrt(length * len(TRAINING[n]))
                * np.exp((ends[n] - ends[-1]) / 20)
            ),
            gain=lambda age, event, other, item: (
                np.exp(-age / 3) * np.exp(-min(abs(p - event) for p, each in enumerate(other) if each == item) / 2)
            ),
            idf=0.5,
        )
        np.testing.assert_allclose(row, expected, rtol=1e-5)


@pytest.mark.parametrize("model", [VSKNN(sample=3), STAN(sample=3)], ids=["VS-kNN", "STAN"])
def test_only_the_newest_sessions_are_considered(model: VSKNN | STAN) -> None:
    train = one_session_a_day([[0, 1], [0, 2], [0, 3], [0, 4], [5]])
    scores = model.fit(train).score(Histories.of([[[0]]], N_ITEMS))[0]
    assert np.flatnonzero(scores).tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("model", [VSKNN(max_len=2), STAN(max_len=2)], ids=["VS-kNN", "STAN"])
def test_older_events_than_max_len_do_not_count(model: VSKNN | STAN) -> None:
    train = one_session_a_day([[7, 0, 1], [2, 3]])
    scores = model.fit(train).score(Histories.of([[[0]], [[7]], [[2], [8], [9]]], N_ITEMS))
    assert [np.flatnonzero(row).tolist() for row in scores] == [[0, 1], [], []]


@pytest.mark.parametrize("model", [VSKNN(), STAN()], ids=["VS-kNN", "STAN"])
def test_a_training_session_is_not_its_own_neighbour(model: VSKNN | STAN) -> None:
    train = one_session_a_day([[0, 1], [2, 3]])
    assert not model.fit(train).score(train.histories).any()


def test_decays_are_those_of_the_authors() -> None:
    age, length = np.array([0, 2, 11]), np.array([4, 4, 20])
    expected = {
        "linear": [1, 0.8, 0],
        "quadratic": [1, 0.25, 0.2025],
        "log": [1 / np.log10(1.7), 1 / np.log10(3.7), 1 / np.log10(12.7)],
        "div": [1, 0.5, 0.45],
        "same": [1, 1, 1],
    }
    for decay, weights in expected.items():
        np.testing.assert_allclose(decayed(age, length, decay), weights)  # type: ignore[arg-type]
