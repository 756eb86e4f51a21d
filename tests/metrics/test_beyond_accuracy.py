from itertools import combinations

import numpy as np
import pytest

from omniretail.metrics import beyond_accuracy as beyond
from omniretail.metrics.ranked_lists import RankedLists

CATEGORY = [0, 0, 1, 2, -1, -1]


def lists(ranked: list[list[int]], item_users: list[int] | None = None) -> RankedLists:
    return RankedLists.of(ranked, [set()] * len(ranked), item_users=item_users or [1] * 6, category=CATEGORY)


def test_novelty_counts_bits():
    judged = lists([[0, 1], [2, -1], [-1, -1], [5, 5]], item_users=[4, 2, 1, 1, 1, 0])
    np.testing.assert_array_equal(beyond.novelty_at_k(judged, 2), [0.5, 2.0, np.nan, 2.0])


def test_diversity_leaves_unknown_categories_out():
    judged = lists([[0, 1, 2], [0, 1, 4], [0, 4, 5], [2, 3, -1], [4, 5, -1]])
    values = beyond.intra_list_diversity_at_k(judged, 3)
    np.testing.assert_allclose(values, [2 / 3, 0.0, np.nan, 1.0, np.nan])


def test_diversity_against_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    category = rng.integers(-1, 4, 50)
    ranked = rng.permuted(np.tile(np.arange(50), (100, 1)), axis=1)[:, :8]
    judged = RankedLists.of(ranked.tolist(), [set()] * 100, item_users=[1] * 50, category=category.tolist())
    pairs = [[(category[i], category[j]) for i, j in combinations(row, 2)] for row in ranked]
    expected = [np.mean([a != b for a, b in row if min(a, b) >= 0]) for row in pairs]
    np.testing.assert_allclose(beyond.intra_list_diversity_at_k(judged, 8), expected)


def test_diversity_without_categories_has_no_value():
    judged = RankedLists.of([[0, 1]], [{0}], item_users=[1, 1])
    assert np.isnan(beyond.intra_list_diversity_at_k(judged, 2)).all()


@pytest.mark.parametrize(
    ("ranked", "coverage", "gini"),
    [
        ([[0, 1, 2, 3, 4, 5]], 1.0, 0.0),
        ([[0], [0], [0]], 1 / 6, 5 / 6),
        ([[0, 1, -1], [0, -1, -1]], 2 / 6, 1 - (2 * (4 * 0 + 0.5 * 1 + (1 + 0.5 * 2)) / (6 * 3))),
    ],
)
def test_concentration_by_hand(ranked, coverage, gini):
    k = len(ranked[0])
    assert beyond.catalogue_coverage_at_k(lists(ranked), k) == pytest.approx(coverage)
    assert beyond.gini_at_k(lists(ranked), k) == pytest.approx(gini)


def test_gini_against_mean_absolute_difference():
    ranked = np.random.default_rng(0).integers(0, 6, (40, 3))
    exposure = np.bincount(ranked.ravel(), minlength=6)
    expected = np.abs(exposure[:, None] - exposure).mean() / (2 * exposure.mean())
    assert beyond.gini_at_k(lists(ranked.tolist()), 3) == pytest.approx(expected)


def test_nothing_shown_has_no_concentration():
    empty = lists([[-1, -1]])
    assert beyond.catalogue_coverage_at_k(empty, 2) == 0.0
    assert np.isnan(beyond.gini_at_k(empty, 2))
