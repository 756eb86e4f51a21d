from collections import Counter
from datetime import datetime

import pytest

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.s3rec import S3Rec


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Beauty.txt").write_text("1 5 7 5\n2 7\n\n3\n")
    (tmp_path / "Beauty_item2attributes.json").write_text(
        '{"5": [9, 3, 2], "7": [3, 2], "8": [2], "6": [3, 4], "4": []}'
    )
    return tmp_path


def test_the_order_in_the_line_is_the_time_and_repeats_stay(folder, loaded, rows):
    tables = loaded(S3Rec(folder))
    events = [(event["user_id"], event["item_id"], event["timestamp"]) for event in rows(tables.events)]
    second = [datetime(1970, 1, 1, 0, 0, s) for s in range(3)]
    assert events == [(1, 5, second[0]), (1, 7, second[1]), (1, 5, second[2]), (2, 7, second[0])]
    assert tables.drops == {"line without items": 1}
    assert not tables.card.clock


def test_category_is_the_widest_attribute_below_half_of_the_items(folder, loaded, rows):
    items = {item["item_id"]: item for item in rows(loaded(S3Rec(folder)).items)}
    assert items[5]["attributes"] == "9 3 2"
    assert {item: found["category"] for item, found in items.items()} == {5: "9", 7: None, 8: None, 6: "4", 4: None}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "Beauty.txt is empty"),
        ("1 5\n2 x7\n", "Beauty.txt, row 2, column 2: 'x7' is not a whole number"),
        ("1 5\n2 99999999999999999999\n", "row 2, column 2: '99999999999999999999' is not"),
        ("1 5\n2 6\n1 7\n", "row 3, column 1: user 1 already has row 1"),
    ],
)
def test_a_bad_line(folder, loaded, lines, message):
    (folder / "Beauty.txt").write_text(lines)
    with pytest.raises(DataError) as error:
        loaded(S3Rec(folder))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"5": [1,\n 2', "attributes.json, row 2, column 3"),
        ('{"five": [1]}', "attributes.json: not of the form"),
        ("[1]", "attributes.json: not of the form"),
    ],
)
def test_bad_attributes(folder, loaded, text, message):
    (folder / "Beauty_item2attributes.json").write_text(text)
    with pytest.raises(DataError) as error:
        loaded(S3Rec(folder))
    assert message in str(error.value)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "users", "items", "events", "repeats"),
    [
        ("Beauty", 22_363, 12_101, 198_502, 0),
        ("Sports_and_Outdoors", 35_598, 18_357, 296_337, 0),
        ("Yelp", 30_431, 20_033, 316_354, 11_830),
    ],
)
def test_the_public_files(public, loaded, name, users, items, events, repeats):
    tables = loaded(S3Rec(public("amazon_s3rec"), name))
    assert engine.count(tables.events) == events
    assert engine.count(tables.events.select("user_id").distinct()) == users
    assert engine.count(tables.events.select("item_id").distinct()) == items == engine.count(tables.items)
    assert events - engine.count(tables.events.select("user_id", "item_id").distinct()) == repeats


@pytest.mark.data
def test_beautys_categories_are_few(public, loaded, rows):
    categories = Counter(item["category"] for item in rows(loaded(S3Rec(public("amazon_s3rec"))).items))
    assert len(categories) == 7
    assert None not in categories
