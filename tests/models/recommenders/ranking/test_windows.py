from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.models.recommenders.ranking.windows import DAY_S, inner_windows
from omniretail.views.train import Train, Validation
from tests.models.factories import train_on

START = 1_500_000_000


def daily(baskets: list[list[list[int]]], n_items: int, n_days: int) -> Train:
    """A basket a day; the cutoff is after ``n_days``."""
    bare = train_on(baskets, n_items)
    timestamp = START + bare.histories.basket.astype(np.int64) * DAY_S
    return replace(bare, histories=replace(bare.histories, timestamp=timestamp), at=START + n_days * DAY_S)


TRAIN = daily([[[0], [1], [2], [3, 4]], [[0], [1]], [[5]]], 6, 4)
"""Day 0 to 3: the first customer buys every day, the second until day 1, the third on day 0."""


def test_windows_follow_each_other_up_to_the_cutoff() -> None:
    latest, before = inner_windows(TRAIN, 1.0, 2, 10)
    assert latest.train.at == START + 3 * DAY_S
    assert latest.train.histories.item_idx.tolist() == [0, 1, 2, 0, 1, 5]
    assert latest.users.item_idx.tolist() == [0, 1, 2]
    assert latest.taken.toarray().tolist() == [[0, 0, 0, 1, 1, 0]]
    assert before.train.at == START + 2 * DAY_S
    assert before.users.item_idx.tolist() == [0, 1]
    assert np.flatnonzero(before.taken.toarray()[0]).tolist() == [2]


def test_users_are_numbered_anew_with_their_attributes() -> None:
    late = daily([[[], [], [], [1]], [[0], [1], [2], [3]], [[4]]], 6, 4)
    late = replace(late, user_table=pd.DataFrame({"user_id": late.users.ids, "age": [30, 40, 50]}))
    (window,) = inner_windows(late, 1.0, 1, 10)
    assert window.train.users.ids.tolist() == [1, 2]
    assert window.train.user_table is not None
    assert window.train.user_table.age.tolist() == [40, 50]
    assert window.train.histories.user_idx.tolist() == [0, 1]
    assert window.users.user_idx.tolist() == [0]


def test_nothing_of_a_window_is_in_its_training_set() -> None:
    for window in inner_windows(TRAIN, 1.0, 3, 10):
        assert window.train.histories.timestamp.max() < window.train.at


@pytest.mark.parametrize("settings", [{"zone": ""}, {"at": START + 4 * DAY_S}])
def test_without_times_or_in_a_short_log_the_last_basket_is_the_window(settings: dict) -> None:
    short = replace(TRAIN, **settings)
    latest, before, first = inner_windows(short, 365.0, 3, 10)
    assert latest.users.lengths.tolist() == [3, 1]
    assert [np.flatnonzero(row).tolist() for row in latest.taken.toarray()] == [[3, 4], [1]]
    assert before.users.lengths.tolist() == [2]
    assert first.users.lengths.tolist() == [1]


def test_where_nobody_comes_back_there_is_no_window() -> None:
    assert list(inner_windows(daily([[[0]], [[1]]], 2, 4), 1.0, 3, 10)) == []


def test_of_many_users_some_are_taken() -> None:
    many = daily([[[0], [user % 5]] for user in range(50)], 5, 2)
    (window,) = inner_windows(many, 1.0, 1, 10)
    assert len(window.users) == 10
    assert len(window.train.users) == 50


def test_what_validation_holds_out_is_not_learned_from() -> None:
    held = Validation(TRAIN.histories, next(inner_windows(TRAIN, 1.0, 1, 10)).taken)
    (window,) = inner_windows(replace(TRAIN, validation=held), 1.0, 1, 10)
    assert window.train.validation is None
