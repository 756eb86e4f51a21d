import json

import pytest

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.tafeng import TaFeng


@pytest.fixture
def source(tmp_path):
    def write(history: dict, future: dict) -> TaFeng:
        (tmp_path / "tafeng_history.json").write_text(json.dumps(history))
        (tmp_path / "tafeng_future.json").write_text(json.dumps(future))
        return TaFeng(tmp_path)

    return write


def test_baskets_follow_each_other_and_the_future_comes_last(source, loaded, rows):
    tables = loaded(
        source({"7": [[-1], [1, 2], [1], [-1]], "8": [[-1], [3], [-1]]}, {"7": [[-1], [4], [-1]], "8": [[5]]})
    )
    events = [(e["user_id"], e["basket_id"], e["timestamp"].second, e["item_id"]) for e in rows(tables.events)]
    assert events == [(7, 0, 0, 1), (7, 0, 0, 2), (7, 1, 1, 1), (7, 2, 2, 4), (8, 3, 0, 3), (8, 4, 1, 5)]


def test_users_that_one_file_lacks_are_counted(source, loaded, rows):
    tables = loaded(source({"7": [[1, 2]], "8": [[3], [3, 4]]}, {"7": [[4]], "9": [[5, 6]]}))
    assert tables.drops == {"user without future": 3, "user without history": 2}
    assert {event["user_id"] for event in rows(tables.events)} == {7}


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ("{", "tafeng_history.json, row 1, column 2"),
        ("[1]", "tafeng_history.json: it must be one object"),
        ('{"7": [[1], ["2"]]}', "tafeng_history.json, user 7, basket 1: ['2'] is not a list of whole numbers"),
        ('{"7": 1}', "user 7: not a list of baskets"),
        ('{"x": [[1]]}', "user 'x': not a whole number"),
    ],
)
def test_a_bad_file(source, loaded, history, message):
    broken = source({}, {})
    broken.files()[0].write_text(history)
    with pytest.raises(DataError) as error:
        loaded(broken)
    assert message in str(error.value)


@pytest.mark.data
def test_the_public_files(public, loaded):
    tables = loaded(TaFeng(public("tafeng")))
    distinct = {c: engine.count(tables.events.select(c).distinct()) for c in ("user_id", "item_id", "basket_id")}
    assert distinct == {"user_id": 13_858, "item_id": 11_997, "basket_id": 91_227}
    assert set(tables.drops.values()) == {0}
