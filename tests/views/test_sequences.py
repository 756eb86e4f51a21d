from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniretail.views.histories import Histories
from omniretail.views.sequences import (
    CIRCUMSTANCES,
    circumstances,
    last_of_previous_basket,
    latest_windows,
    training_prefixes,
    training_windows,
)

SOME = settings(max_examples=60, deadline=None)
lengths = st.lists(st.integers(0, 25), max_size=12)
seeds = st.integers(0, 2**32 - 1)


def one_by_one(lengths: list[int]) -> Histories:
    """Users with so many events, one item a basket."""
    return Histories.of([[[0]] * length for length in lengths], n_items=1)


@SOME
@given(lengths, st.integers(1, 8), seeds)
def test_every_event_is_in_one_window_of_its_user(lengths: list[int], max_len: int, seed: int) -> None:
    histories = one_by_one(lengths)
    windows = training_windows(histories, max_len, np.random.default_rng(seed))
    events = [np.arange(start, start + n) for start, n in zip(windows.start, windows.length, strict=True)]
    assert np.concatenate([[], *events]).tolist() == list(range(sum(lengths)))
    assert all(1 <= n <= max_len for n in windows.length)
    assert all(len(set(histories.rows[each])) == 1 for each in events)


@SOME
@given(lengths, st.integers(1, 8), seeds)
def test_who_fits_into_one_window_is_not_cut(lengths: list[int], max_len: int, seed: int) -> None:
    histories = one_by_one(lengths)
    windows = training_windows(histories, max_len, np.random.default_rng(seed))
    n_windows = np.bincount(histories.rows[windows.start], minlength=len(lengths)) if lengths else []
    for length, n in zip(lengths, n_windows, strict=True):
        assert n == (length > 0) if length <= max_len else n in (-(-length // max_len), -(-length // max_len) + 1)


def test_the_cuts_of_long_histories_differ_from_epoch_to_epoch() -> None:
    histories, rng = one_by_one([30]), np.random.default_rng(0)
    firsts = {int(training_windows(histories, 10, rng).length[0]) for _ in range(200)}
    assert firsts == set(range(1, 11))


@SOME
@given(lengths, st.integers(1, 8), st.integers(1, 40), seeds)
def test_batches_hold_each_window_once_and_about_so_many_events(
    lengths: list[int], max_len: int, batch_events: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    windows = training_windows(one_by_one(lengths), max_len, rng)
    batches = windows.batches(batch_events, rng)
    pairs = [pair for batch in batches for pair in zip(batch.start.tolist(), batch.length.tolist(), strict=True)]
    assert sorted(pairs) == sorted(zip(windows.start.tolist(), windows.length.tolist(), strict=True))
    for batch in batches:
        assert 0 < batch.length.sum() < batch_events + max_len  # one window may reach over the edge
    assert len(batches) <= sum(lengths) // batch_events + 1


def test_batches_are_of_like_length_and_drawn_anew() -> None:
    windows = training_windows(one_by_one(list(range(1, 60)) * 4), 60, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    first, second = windows.batches(200, rng), windows.batches(200, rng)
    n_laid_out = sum(len(batch.length) * batch.length.max() for batch in first)
    assert n_laid_out < 1.1 * windows.length.sum()
    assert [batch.start.tolist() for batch in first] != [batch.start.tolist() for batch in second]
    assert [batch.length.max() for batch in first] != sorted(batch.length.max() for batch in first)
    again = windows.batches(200, np.random.default_rng(1))
    assert [batch.start.tolist() for batch in first] == [batch.start.tolist() for batch in again]


@SOME
@given(lengths, st.integers(1, 8))
def test_latest_windows_end_where_histories_end(lengths: list[int], max_len: int) -> None:
    histories = one_by_one(lengths)
    windows = latest_windows(histories, max_len)
    assert windows.length.tolist() == [min(length, max_len) for length in lengths]
    assert (windows.start + windows.length).tolist() == histories.offsets[1:].tolist()


def test_the_last_event_of_the_basket_before_by_hand() -> None:
    histories = Histories.of([[[0, 1], [2], [0, 1, 2]], [], [[1]], [[1], [0, 2], [2]]], n_items=3)
    assert last_of_previous_basket(histories).tolist() == [-1, -1, 1, 2, 2, 2, -1, -1, 7, 7, 9]


@SOME
@given(lengths)
def test_where_every_basket_is_one_event_it_is_the_event_before(lengths: list[int]) -> None:
    expected = [-1 if place == 0 else start + place - 1 for start, n in _starts(lengths) for place in range(n)]
    assert last_of_previous_basket(one_by_one(lengths)).tolist() == expected


def _starts(lengths: list[int]) -> list[tuple[int, int]]:
    return [(sum(lengths[:user]), n) for user, n in enumerate(lengths)]


HISTORIES = replace(
    Histories.of([[[0], [1, 0], [2]], [], [[2], [2], [0]]], n_items=3),
    timestamp=np.array([100, 100, 3700, 3700 + 3 * 3600, 50_000_000, 50_000_000 + 60, 10**12]),
    event_type=np.array([0, 1, 31, 40, 5, 0, 0], dtype=np.int8),
    channel=np.array([7, 0, 9, 1, 1, 1, 0], dtype=np.int8),
)


def test_circumstances_by_hand() -> None:
    by_hand = {
        "gap": [0, 0, 1, 2, 0, 1, 19],  # the same moment, an hour, three; a minute; longer than there are codes
        "repeat": [0, 0, 1, 0, 0, 1, 0],
        "event_type": [0, 1, 31, 31, 5, 0, 0],
        "channel": [7, 0, 7, 1, 1, 1, 0],
    }
    for name, expected in by_hand.items():
        assert circumstances(HISTORIES, [name])[:, 0].tolist() == expected, name
    several = circumstances(HISTORIES, ["repeat", "gap"])
    assert several.T.tolist() == [by_hand["repeat"], by_hand["gap"]]
    assert several.dtype == np.int64


def test_circumstances_start_afresh_with_each_user() -> None:
    alone = circumstances(HISTORIES.take([2]), list(CIRCUMSTANCES))
    np.testing.assert_array_equal(circumstances(HISTORIES, list(CIRCUMSTANCES))[4:], alone)


def test_codes_stay_within_their_sizes() -> None:
    codes = circumstances(HISTORIES, list(CIRCUMSTANCES))
    assert (codes >= 0).all()
    assert (codes < list(CIRCUMSTANCES.values())).all()


def test_no_names_no_columns_and_no_events_no_rows() -> None:
    assert circumstances(HISTORIES, []).shape == (7, 0)
    nobody = Histories.of([[], []], n_items=3)
    assert circumstances(nobody, list(CIRCUMSTANCES)).shape == (0, 4)
    assert last_of_previous_basket(nobody).shape == (0,)
    assert training_windows(nobody, 5, np.random.default_rng(0)).batches(10, np.random.default_rng(0)) == []


def test_an_unknown_circumstance_is_refused() -> None:
    with pytest.raises(ValueError, match=r"context='weather' is not one of gap, repeat, event_type, channel"):
        circumstances(HISTORIES, ["gap", "weather"])


def test_keep_leaves_the_users_and_some_of_their_events() -> None:
    kept = HISTORIES.keep(np.array([1, 0, 0, 1, 0, 0, 1], dtype=bool))
    assert kept.lengths.tolist() == [2, 0, 1]
    assert kept.item_idx.tolist() == [0, 2, 0]
    assert kept.basket.tolist() == [0, 2, 2]
    assert kept.timestamp.tolist() == HISTORIES.timestamp[[0, 3, 6]].tolist()
    assert kept.channel.tolist() == [7, 1, 0]
    assert kept.event_type.tolist() == [0, 31 + 9, 0]
    assert (kept.user_idx.tolist(), kept.n_items) == (HISTORIES.user_idx.tolist(), 3)
    nothing = HISTORIES.keep(np.zeros(7, dtype=bool))
    assert (len(nothing), nothing.lengths.tolist()) == (3, [0, 0, 0])


def test_prefixes_end_before_the_basket_of_their_target() -> None:
    histories = Histories.of([[[0, 1], [2], [3, 4]], [[5]], []], n_items=6)
    prefixes = training_prefixes(histories, max_len=2)
    items = histories.item_idx
    assert items[prefixes.target].tolist() == [2, 3, 4]
    read = [items[a : a + n].tolist() for a, n in zip(prefixes.start, prefixes.length, strict=True)]
    assert read == [[0, 1], [1, 2], [1, 2]]


def test_batches_of_prefixes_hold_each_once_and_the_shortest_first() -> None:
    histories = Histories.of([[[item] for item in range(9)], [[0], [1], [2]]], n_items=9)
    prefixes = training_prefixes(histories, max_len=5)
    batches = prefixes.batches(4, np.random.default_rng(0))
    assert [len(batch.target) for batch in batches] == [4, 4, 2]
    assert sorted(np.concatenate([batch.target for batch in batches])) == sorted(prefixes.target)
    assert all((np.diff(batch.length) >= 0).all() for batch in batches)
    assert batches[0].target.tolist() != prefixes.target[:4].tolist()
