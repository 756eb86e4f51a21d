import numpy as np
import pytest

from omniretail.models.top_k import batches, recommend, top_k
from omniretail.policies.seen import hide_seen
from omniretail.views.histories import Histories


class Given:
    """A model whose scores are written down: a row per user index."""

    def __init__(self, scores) -> None:
        self.scores = np.array(scores, dtype=np.float32)
        self.largest_batch = 0

    def fit(self, train) -> "Given":
        return self

    def score(self, users: Histories) -> np.ndarray:
        self.largest_batch = max(self.largest_batch, len(users))
        return self.scores[users.user_idx]


def users_with(*histories: list[int], n_items: int) -> Histories:
    fresh = Histories.of([[history] if history else [] for history in histories], n_items)
    return Histories(
        np.arange(len(histories)), fresh.offsets, fresh.item_idx, fresh.timestamp, fresh.basket, fresh.n_items
    )


def sorted_whole(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    return np.where(best > -np.inf, order, -1), best


@pytest.mark.parametrize("n_items", [1, 2, 7, 50, 1000])
@pytest.mark.parametrize("n_users", [0, 1, 2, 17])
@pytest.mark.parametrize("kind", ["distinct", "many ties", "mostly hidden", "all equal"])
def test_top_k_is_the_start_of_a_stable_sort(n_items: int, n_users: int, kind: str) -> None:
    rng = np.random.default_rng(n_items)
    scores = rng.standard_normal((n_users, n_items), dtype=np.float32)
    if kind == "many ties":
        scores = np.round(scores)
    elif kind == "mostly hidden":
        scores[rng.random(scores.shape) < 0.9] = -np.inf
    elif kind == "all equal":
        scores[:] = 0
    for k in {1, min(5, n_items), n_items}:
        columns, best = top_k(scores, k)
        expected_columns, expected_best = sorted_whole(scores, k)
        np.testing.assert_array_equal(columns, expected_columns)
        np.testing.assert_array_equal(best, expected_best)
        assert columns.dtype == np.int32


def test_ties_go_by_index() -> None:
    ranked, scores = recommend(Given([[1, 2, 2, 1]]), users_with([], n_items=4), k=4)
    assert ranked.tolist() == [[1, 2, 0, 3]]
    assert scores.tolist() == [[2, 2, 1, 1]]


def test_places_that_the_policy_leaves_empty_hold_minus_one() -> None:
    ranked, scores = recommend(Given([[3, 2, 1]]), users_with([0, 2], n_items=3), k=2, policy=hide_seen)
    assert ranked.tolist() == [[1, -1]]
    assert scores.tolist() == [[2, -np.inf]]


def test_the_fallback_serves_users_without_a_history() -> None:
    model, users = Given([[3, 2, 1], [3, 2, 1]]), users_with([0], [], n_items=3)
    ranked, _ = recommend(model, users, k=1, fallback=np.array([0, 0, 9]))
    assert ranked.tolist() == [[0], [2]]


def test_memory_bounds_a_batch_and_changes_nothing_else() -> None:
    rng = np.random.default_rng(0)
    n_items = 1 << 14
    model = Given(rng.random((50, n_items)))
    users = users_with(*rng.integers(0, n_items, (50, 3)).tolist(), n_items=n_items)
    whole = recommend(model, users, k=5, policy=hide_seen)
    assert model.largest_batch == 50
    model.largest_batch = 0
    parts = recommend(model, users, k=5, policy=hide_seen, memory_mb=1)
    assert model.largest_batch == 16
    np.testing.assert_array_equal(whole, parts)


def test_a_batch_holds_one_user_at_least() -> None:
    assert list(batches(2, n_items=10**9, memory_mb=1)) == [slice(0, 1), slice(1, 2)]


def test_lists_longer_than_the_catalogue_are_refused() -> None:
    with pytest.raises(ValueError, match="k=4 is more than the catalogue's 3 items"):
        recommend(Given([[1, 2, 3]]), users_with([], n_items=3), k=4)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(broken: float) -> None:
    model = Given([[1, 2, 3], [1, broken, 3]])
    with pytest.raises(ValueError, match=r"Given gave scores that are not finite for 1 of 2 users \(first: row 1\)"):
        recommend(model, users_with([], [], n_items=3), k=1)


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"gave shape \(1, 2\), expected \(1, 3\)"):
        recommend(Given([[1, 2]]), users_with([], n_items=3), k=1)
