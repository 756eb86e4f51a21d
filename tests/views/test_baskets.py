import numpy as np

from omniretail.views.baskets import baskets_ago, once_per_basket
from omniretail.views.histories import Histories

HISTORIES = Histories.of([[[3, 1, 3], [3]], [], [[2], [0, 0], [2, 0]]], n_items=4)


def test_repeats_within_a_basket_go_and_those_across_baskets_stay() -> None:
    once = once_per_basket(HISTORIES)
    assert once.item_idx.tolist() == [3, 1, 3, 2, 0, 2, 0]
    assert once.basket.tolist() == [0, 0, 1, 0, 1, 2, 2]
    assert once.offsets.tolist() == [0, 3, 3, 7]
    np.testing.assert_array_equal(once.timestamp, once.basket)
    np.testing.assert_array_equal(once.user_idx, HISTORIES.user_idx)


def test_baskets_are_counted_back_from_each_users_latest() -> None:
    assert baskets_ago(HISTORIES).tolist() == [1, 1, 1, 0, 2, 1, 1, 0, 0]


def test_no_events_no_baskets() -> None:
    empty = Histories.of([[], []], n_items=4)
    assert len(once_per_basket(empty).item_idx) == 0
    assert len(baskets_ago(empty)) == 0
