from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.ids import Vocabulary
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import CIRCUMSTANCES, NUMBERS, EventCoding
from tests.models.factories import train_on

DAY = 24 * 3600
THREE = train_on([[[0, 1], [0]], [[0, 2]]], 4)
"""Item 3 is taken by nobody."""


def test_frequent_items_and_words_get_low_codes_and_rare_ones_none() -> None:
    table = THREE.item_table.assign(category=["a", "a", None, "b"])
    codes = EventCoding.of(replace(THREE, item_table=table), ["colour", "category"], max_items=2).item_codes
    assert codes.shape == (4, 2)
    assert codes[0, 1] == codes[1, 1] == 1  # taken four times
    assert codes[0, 0] == 2
    assert codes[2, 0] == codes[3, 0] == codes[2, 1] == 0
    assert sorted({*codes.ravel()}) == [0, 1, 2, 3, 4]


def test_without_columns_items_alone_have_codes() -> None:
    assert EventCoding.of(THREE, [], max_items=9).item_codes[:, 0].tolist() == [1, 2, 3, 4]


def test_baskets_are_found_where_customers_have_none() -> None:
    coding = EventCoding.of(THREE, [], max_items=9)
    events = coding.baskets(Histories.of([[], [[1], [2, 0]], [], [[0]], []], n_items=4))
    assert events.offsets.tolist() == [0, 0, 2, 2, 3, 3]
    assert events.line_offsets.tolist() == [0, 1, 3, 4]
    assert events.line_codes.ravel().tolist() == [2, 3, 1, 1]
    none = coding.baskets(Histories.of([[], []], n_items=4))
    assert none.offsets.tolist() == [0, 0, 0]
    assert none.numbers.shape == (0, 2 * len(NUMBERS))


def test_times_are_told_by_the_customers_clock() -> None:
    late = replace(THREE.histories, timestamp=np.array([20, 20, 68, 20, 20]) * 3600)
    stores = np.array([1, 1, -1, 0, 0], dtype=np.int32)
    train = replace(THREE, histories=replace(late, store=stores), stores=Vocabulary.of(range(2)), zone="Asia/Tokyo")
    coding = EventCoding.of(train, [], max_items=9)
    events = coding.baskets(train.histories)
    assert coding.sizes == (3, 25, 8)
    assert events.circumstances.tolist() == [[2, 6, 5], [0, 6, 7], [1, 6, 5]]  # five in the morning, Friday and Sunday
    raw = coding.raw_numbers(train.histories, np.array([0, 0, 1, 2, 2]), np.array([0, 2, 3]))
    np.testing.assert_allclose(raw[:, NUMBERS.index("gap")], [np.nan, np.log(3), np.nan])


def test_where_there_is_an_order_only_no_time_is_told() -> None:
    train = replace(THREE, zone="")
    events = EventCoding.of(train, [], max_items=9).baskets(train.histories)
    assert (events.circumstances == 0).all()
    assert events.circumstances.shape == (3, len(CIRCUMSTANCES))
    assert events.numbers[:, len(NUMBERS) + NUMBERS.index("gap")].tolist() == [1, 1, 1]


def test_prices_are_per_piece_and_beside_what_is_usual() -> None:
    nan = np.nan
    histories = replace(
        THREE.histories,
        quantity=np.array([2, 1, nan, 1, 1], dtype=np.float32),
        value=np.array([6, 3, 3, nan, nan], dtype=np.float32),
        discount=np.array([2, 1, nan, 0, 0], dtype=np.float32),
    )
    coding = EventCoding.of(replace(THREE, histories=histories), [], max_items=9)
    raw = coding.raw_numbers(histories, np.array([0, 0, 1, 2, 2]), np.array([0, 2, 3]))
    told = dict(zip(NUMBERS, raw.T, strict=True))
    np.testing.assert_allclose(told["price"], [np.log(4), np.log(4), nan])
    np.testing.assert_allclose(told["price_over_mean"], [0, 0, nan], atol=1e-12)
    np.testing.assert_allclose(told["discount"], [0.25, nan, nan])
    np.testing.assert_allclose(told["value"], [np.log(10), np.log(4), nan])
    np.testing.assert_allclose(told["lines"], np.log([3, 2, 3]))


def test_numbers_are_of_like_size_and_nought_where_missing() -> None:
    rng = np.random.default_rng(0)
    train = train_on([[[0]] * 50 for _ in range(20)], 1)
    value = np.where(rng.random(1000) < 0.2, np.nan, rng.gamma(1, 50, 1000)).astype(np.float32)
    train = replace(train, histories=replace(train.histories, value=value))
    numbers = EventCoding.of(train, [], max_items=1).baskets(train.histories).numbers
    column = NUMBERS.index("value")
    scaled, missing = numbers[:, column], numbers[:, len(NUMBERS) + column] == 1
    assert (scaled[missing] == 0).all()
    assert missing.tolist() == np.isnan(value).tolist()
    assert abs(scaled[~missing].mean()) < 0.05
    assert scaled[~missing].std() == pytest.approx(1, abs=0.1)
    assert np.isfinite(numbers).all()


def test_it_comes_back_from_its_arrays() -> None:
    train = replace(THREE, item_table=pd.DataFrame({"item_id": THREE.items.ids, "category": list("abca")}))
    coding = EventCoding.of(train, ["category"], max_items=3)
    back = EventCoding.from_arrays(coding.arrays()).baskets(train.histories)
    for name, array in vars(coding.baskets(train.histories)).items():
        np.testing.assert_array_equal(getattr(back, name), array)
