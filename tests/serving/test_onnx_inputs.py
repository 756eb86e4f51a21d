from typing import Any

import numpy as np

from omniretail.serving.onnx_inputs import INPUTS, Layout, groups, laid_out
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import EventCoding
from tests.models.profiles.shop import KINDS

USERS = Histories.of([[[3], [1, 2], [3]], [], [[0]]], n_items=4)


def test_sequences_are_the_latest_events_left_aligned() -> None:
    arrays = laid_out(USERS, Layout("sequences", max_len=3, context=["repeat"]))
    assert arrays["item"].tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 0]]
    assert arrays["length"].tolist() == [3, 0, 1]
    assert arrays["circumstance"][..., 0].tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert arrays["baskets_ago"].tolist() == [[1, 1, 0], [-1, -1, -1], [0, -1, -1]]
    assert arrays["user"].tolist() == [-1, -1, -1]


def test_items_are_distinct_and_weighed() -> None:
    arrays = laid_out(USERS, Layout("items", weighting="count"))
    assert arrays["taken"].tolist() == [1, 2, 3, 0]
    assert arrays["row"].tolist() == [0, 0, 0, 2]
    assert arrays["weight"].tolist() == [1, 1, 2, 1]
    assert arrays["length"].tolist() == [3, 0, 1]


def test_baskets_are_the_latest_ones_behind_an_empty_one() -> None:
    coding = EventCoding.of(KINDS, ["department"], max_items=20)
    users = Histories.of([[[3], [1, 2], [3]], [], [[0]]], n_items=20)
    events = coding.baskets(users)
    arrays = laid_out(users, Layout("baskets", max_len=2), coding)
    assert arrays["place"].tolist() == [[1, 2], [0, 0], [3, 0]]
    assert arrays["length"].tolist() == [2, 0, 1]
    assert arrays["line_basket"].tolist() == [1, 1, 2, 3]
    np.testing.assert_array_equal(arrays["line_code"], coding.item_codes[[1, 2, 3, 0]])
    np.testing.assert_array_equal(arrays["number"][1:], events.numbers[[1, 2, 3]])
    assert not arrays["number"][0].any()
    assert not arrays["basket_circumstance"][0].any()


def test_nobody_and_nothing_have_inputs_too() -> None:
    coding = EventCoding.of(KINDS, ["department"], max_items=20)
    layouts: list[tuple[Layout, Any]] = [
        (Layout("sequences", 3, ["gap"]), None),
        (Layout("items"), None),
        (Layout("baskets", 5), coding),
    ]
    for layout, how in layouts:
        for users in (Histories.of([[], []], n_items=20), Histories.of([], n_items=20)):
            arrays = laid_out(users, layout, how)
            assert len(arrays["length"]) == len(users)
            assert not arrays["length"].any()
            for name, array in arrays.items():
                assert array.ndim == len(INPUTS[name][0])
                assert INPUTS[name][1].startswith(f"{array.dtype}:")


def test_groups_hold_everybody_once_and_bound_the_events() -> None:
    users = Histories.of([[[0]] * n for n in np.random.default_rng(0).integers(0, 40, 1500)], n_items=4)
    parts = list(groups(users))
    assert len(parts) > 1
    assert sorted(np.concatenate(parts)) == list(range(1500))
    assert max(users.lengths[part].sum() for part in parts) <= 8192 + 40
    assert list(groups(users.take([]))) == []
