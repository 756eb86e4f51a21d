import numpy as np
import pytest

from omniretail.models.recommenders.ranking.weights import WeightExamples, best_weights


def examples(x: np.ndarray, taken: np.ndarray) -> WeightExamples:
    """U users with N candidates each; x (U, N, M), taken (U, N)."""
    n_users, n, n_members = x.shape
    return WeightExamples(x.reshape(-1, n_members), np.repeat(np.arange(n_users), n), taken.ravel(), taken.sum(axis=1))


def drawn(weights: list[float]) -> WeightExamples:
    """What was taken are the three items with the highest weighted sum of independent scores."""
    x = np.random.default_rng(0).normal(size=(300, 20, len(weights)))
    total = x @ np.array(weights)
    return examples(x, total >= np.sort(total, axis=1)[:, [-3]])


def test_ndcg_by_hand() -> None:
    x = np.array([[[3.0], [2.0], [1.0]], [[3.0], [2.0], [1.0]]])
    each = examples(x, np.array([[False, True, False], [False, False, False]]))
    assert each.ndcg(np.ones(1), 2) == pytest.approx(1 / np.log2(3))  # the second user took nothing
    assert each.ndcg(np.ones(1), 1) == 0


@pytest.mark.parametrize("weights", [[0.8, 0.2], [0.5, 0.5], [1.0, 0.0], [0.3, 0.0, 0.7]])
def test_finds_the_weights_behind_the_lists(weights: list[float]) -> None:
    assert best_weights([drawn(weights)], len(weights), 3) == pytest.approx(weights, abs=0.08)


def test_equal_members_and_no_examples_weigh_the_same() -> None:
    one = drawn([1.0])
    twice = WeightExamples(np.repeat(one.x, 2, axis=1), one.row, one.taken, one.n_taken)
    assert best_weights([twice], 2, 3).tolist() == [0.5, 0.5]
    assert best_weights([], 4, 10).tolist() == [0.25] * 4
