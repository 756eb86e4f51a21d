from math import log

import numpy as np
import pytest

from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items, user_items, weighted_user_items

HISTORIES = Histories.of([[[3, 1, 3], [3]], [], [[0]]], n_items=4)


def test_event_weights_are_summed_per_pair() -> None:
    weights = np.array([1.0, 10.0, 100.0, 1000.0, 0.5])
    assert user_items(HISTORIES, weights).toarray().tolist() == [[0, 10, 0, 1101], [0] * 4, [0.5, 0, 0, 0]]
    assert user_items(HISTORIES).toarray().tolist() == [[0, 1, 0, 3], [0] * 4, [1, 0, 0, 0]]


def test_binary_forgets_how_often() -> None:
    matrix = binary_user_items(HISTORIES)
    assert matrix.toarray().tolist() == [[0, 1, 0, 1], [0] * 4, [1, 0, 0, 0]]
    assert matrix.dtype == np.float32
    assert matrix.indices.dtype == np.int32


def test_weightings_count_baskets() -> None:
    assert weighted_user_items(HISTORIES, "count").toarray()[0].tolist() == [0, 1, 0, 2]
    assert weighted_user_items(HISTORIES, "log").toarray()[0] == pytest.approx([0, log(2), 0, log(3)])
    np.testing.assert_array_equal(
        weighted_user_items(HISTORIES, "binary").toarray(), binary_user_items(HISTORIES).toarray()
    )


def test_the_histories_stay_as_they_were() -> None:
    before = HISTORIES.item_idx.copy()
    weighted_user_items(HISTORIES, "log")
    np.testing.assert_array_equal(HISTORIES.item_idx, before)
