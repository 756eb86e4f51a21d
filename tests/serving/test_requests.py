"""Malformed requests: each is one sentence that begins with the field's name."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from omniretail.serving.recommender import RecommenderService
from omniretail.serving.request_history import histories_of
from omniretail.serving.validation import RequestError
from tests.policies.factories import AT, DAY
from tests.serving.factories import NAMED, rows, service


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RecommenderService:
    return service(tmp_path_factory.mktemp("town") / "saved")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"usr_id": 1}, "usr_id: there is no such field; did you mean user_id"),
    ({"colour": 1}, "colour: there is no such field; there are user_id, history"),
    ({"user_id": "anna"}, "user_id: 'anna' is of the wrong type; this model's ids are integers"),
    ({"user_id": 1.5}, "user_id: 1.5 is of the wrong type"),
    ({"user_id": True}, "user_id: True is of the wrong type"),
    ({"user_id": 1, "k": 0}, "k: a whole number from 1 to 6 is expected, not 0"),
    ({"user_id": 1, "k": 7}, "k: a whole number from 1 to 6 is expected, not 7"),
    ({"user_id": 1, "k": "ten"}, "k: a whole number from 1 to 6 is expected, not 'ten'"),
    ({"history": 3}, "history: a list is expected, not 3"),
    ({"history": "1,2"}, "history: a list is expected, not '1,2'"),
    ({"history": ["x"]}, "history: 'x' is of the wrong type; this model's ids are integers"),
    ({"history": [{"item": 1}]}, "history: an event has no 'item'; it may have item_id, timestamp"),
    ({"history": [{"value": 1}]}, "history: event 0 has no item_id"),
    ({"history": [{"item_id": 1}, 2]}, "history: event 1 has no item_id"),
    ({"history": [{"item_id": 1, "timestamp": "soon"}]}, "history: timestamp: a time is ISO 8601 or seconds"),
    ({"history": [{"item_id": 1, "timestamp": 5}, {"item_id": 2}]}, "history: some events have a timestamp and some"),
    ({"history": [{"item_id": 1, "channel": "fax"}]}, "history: channel: 'fax' is not known; this model knows offline"),
    ({"history": [{"item_id": 1, "value": "much"}]}, "history: value: a number is expected, not 'much'"),
    ({"user_id": 1, "store_id": "s9"}, "store_id: 's9' is not known; this model knows s0, s1, s2, s3"),
    ({"user_id": 1, "store_id": 4}, "store_id: 4 is of the wrong type; this model's ids are text"),
    ({"user_id": 1, "channel": "fax"}, "channel: 'fax' is not known; this model knows offline, online"),
    ({"user_id": 1, "exclude": 3}, "exclude: a list is expected, not 3"),
    ({"user_id": 1, "candidates": ["x"]}, "candidates: 'x' is of the wrong type"),
    ({"user_id": 1, "filters": ["tea"]}, "filters: a mapping from an item's attribute"),
    ({"user_id": 1, "filters": {"categry": "c0"}}, "filters: items have no attribute 'categry'; did you mean category"),
    ({"user_id": 1, "filters": {"category": {"min": 3}}}, "filters: category is no number, so it has no min and max"),
    ({"user_id": 1, "filters": {"price": {"least": 3}}}, "filters: price takes values, or bounds as min and max"),
    ({"user_id": 1, "filters": {"price": {"min": "low"}}}, "filters: price: a number is expected, not 'low'"),
]


@pytest.mark.parametrize(("request_", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_malformed_request_names_its_field(town: RecommenderService, request_: dict, message: str) -> None:
    with pytest.raises(RequestError) as error:
        town.predict(rows({"user_id": 0}, request_))
    assert str(error.value).startswith(message)


def test_a_request_without_any_field_is_none(town: RecommenderService) -> None:
    with pytest.raises(RequestError, match="names none of the fields user_id, history"):
        town.predict(pd.DataFrame(index=[0]))


def test_events_without_a_time_are_in_order_one_basket_each_and_just_before_the_cutoff() -> None:
    made, unknown = histories_of([[3, 1], [], [{"item_id": 2}]], NAMED)
    assert made.item_idx.tolist() == [3, 1, 2]
    assert made.basket.tolist() == [0, 1, 0]
    assert made.timestamp.tolist() == [AT - 2, AT - 1, AT - 1]
    assert made.lengths.tolist() == [2, 0, 1]
    assert made.user_idx.tolist() == [-1, -1, -1]
    assert unknown.tolist() == [0, 0, 0]


def test_events_with_times_are_sorted_and_those_of_one_time_are_one_basket() -> None:
    told = [
        {"item_id": 4, "timestamp": AT - DAY, "value": 2.5, "store_id": "s1", "channel": "online"},
        {"item_id": 0, "timestamp": AT - 3 * DAY},
        {"item_id": 1, "timestamp": AT - DAY, "store_id": "closed long ago"},
    ]
    made, _ = histories_of([told], NAMED)
    assert made.item_idx.tolist() == [0, 4, 1]
    assert made.basket.tolist() == [0, 1, 1]
    assert made.store.tolist() == [-1, 1, -1]
    assert made.channel.tolist() == [-1, 1, -1]
    np.testing.assert_array_equal(made.value, np.float32([np.nan, 2.5, np.nan]))


def test_iso_times_are_read_with_and_without_a_zone() -> None:
    told = [
        {"item_id": 0, "timestamp": "1970-01-01T02:00:00+02:00"},
        {"item_id": 1, "timestamp": "1970-01-01T00:00:05"},
    ]
    made, _ = histories_of([told], NAMED)
    assert made.timestamp.tolist() == [0, 5]


def test_unknown_items_are_left_out_and_counted() -> None:
    made, unknown = histories_of([[77, 1, 78], [99]], NAMED)
    assert made.item_idx.tolist() == [1]
    assert unknown.tolist() == [2, 1]
