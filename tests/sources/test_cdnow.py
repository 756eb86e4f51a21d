from datetime import datetime

import pytest

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.cdnow import CDNOW

LINES = (
    " 00004 0001 19970101  2   29.33\r\n"
    " 00004 0001 19970118  2   29.73\r\n"
    "\r\n"
    " 00021 0002 19970101  1    0.00\r\n"
    " 00021 0002 19970101  1    0.00\r\n"
    " 00050 0003 19970101  0   10.00\r\n"
    " 00050 0003 19970102  1  -10.00\r\n"
)


@pytest.fixture
def source(tmp_path):
    def write(text: str) -> CDNOW:
        (tmp_path / "CDNOW_sample.txt").write_text(text)
        return CDNOW(tmp_path)

    return write


def test_each_line_is_an_order_of_a_day(source, loaded, rows):
    tables = loaded(source(LINES))
    events = rows(tables.events)
    assert [(e["user_id"], e["timestamp"], e["quantity"], e["value"]) for e in events] == [
        ("00004", datetime(1997, 1, 1), 2.0, 29.33),
        ("00004", datetime(1997, 1, 18), 2.0, 29.73),
        ("00021", datetime(1997, 1, 1), 1.0, 0.0),
        ("00021", datetime(1997, 1, 1), 1.0, 0.0),
    ]
    assert {(e["item_id"], e["event_type"], e["channel"]) for e in events} == {("CD", "purchase", "online")}
    assert len({e["basket_id"] for e in events}) == 4
    assert tables.card.currency == "USD"


def test_traps_are_counted(source, loaded):
    tables = loaded(source(LINES))
    assert tables.drops == {"no CDs": 1, "less than $0": 1}
    assert tables.changes == {"order of $0, not dropped": 2, "repeated line, not dropped": 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("00004 0001 19970101 2", "row 2: 4 columns instead of 5"),
        ("00004 0001 19971301 2 29.33", "row 2, column 3 (date YYYYMMDD): '19971301' is not a date like 19970131"),
        ("00004 0001 19970101 two 29.33", "row 2, column 4 (CDs): 'two' is not a number"),
        ("00004 0001 19970101 2 nan", "row 2, column 5 (dollars): 'nan' is not a number"),
    ],
)
def test_a_bad_line(source, loaded, line, message):
    with pytest.raises(DataError) as error:
        loaded(source(f"00004 0001 19970101 2 29.33\n{line}\n"))
    assert f"CDNOW_sample.txt, {message}" in str(error.value)


def test_an_empty_file(source, loaded):
    with pytest.raises(DataError, match="is empty"):
        loaded(source("\n"))


@pytest.mark.data
def test_the_public_file(public, loaded):
    tables = loaded(CDNOW(public("cdnow")))
    assert engine.count(tables.events) == 6_919
    assert engine.count(tables.events.select("user_id").distinct()) == 2_357
    assert tables.drops == {"no CDs": 0, "less than $0": 0}
    assert tables.changes == {"order of $0, not dropped": 8, "repeated line, not dropped": 21}
