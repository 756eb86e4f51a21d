import ibis
import pyarrow as pa
from ibis import _

from omniretail.sources.parsing.drop_counting import count_drops, count_duplicates


def test_a_row_is_counted_once_under_the_first_reason_that_holds(rows):
    table = ibis.memtable(pa.table({"quantity": [1.0, -1.0, None, -2.0, 5.0], "user": ["a", None, "b", "c", None]}))
    stay, drops = count_drops(table, {"return": _.quantity < 0, "no user": _.user.isnull(), "too many": _.quantity > 9})
    assert rows(stay) == [{"quantity": 1.0, "user": "a"}, {"quantity": None, "user": "b"}]
    assert drops == {"return": 2, "no user": 1, "too many": 0}


def test_repeats(rows):
    stay, drops = count_duplicates(ibis.memtable(pa.table({"x": [1, 2, 1, 1], "y": ["a", None, "a", "b"]})))
    assert sorted(map(str, rows(stay))) == ["{'x': 1, 'y': 'a'}", "{'x': 1, 'y': 'b'}", "{'x': 2, 'y': None}"]
    assert drops == {"exact duplicate": 1}
