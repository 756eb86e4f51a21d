import gzip
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.csv import CSV

HEADER = "user_id,item_id,timestamp,quantity\n"


@pytest.fixture
def file(tmp_path):
    def write(text: str | bytes, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def one(file, loaded, rows):
    """The only event of a log with one row."""

    def read(text: str, **settings):
        (event,) = rows(loaded(CSV(file(text), **settings)).events)
        return event

    return read


def test_columns_are_mapped_and_constants_filled_in(one):
    event = one(
        "Customer ID,SKU,When,Till\nAnn,tea,2024-05-31 18:30:00,7\n",
        columns={"user_id": "Customer ID", "item_id": "SKU", "timestamp": "When", "store_id": "Till", "value": None},
        channel="offline",
    )
    assert event == {
        "user_id": "Ann",
        "item_id": "tea",
        "timestamp": datetime(2024, 5, 31, 18, 30),
        "store_id": "7",
        "event_type": "purchase",
        "channel": "offline",
    }


def test_canonical_names_need_no_mapping(one):
    event = one("user_id,item_id,timestamp,event_type,value,discount\n1,2,2024-05-31,view,3.5,.5\n")
    assert (event["event_type"], event["value"], event["discount"]) == ("view", 3.5, 0.5)


def test_an_empty_event_type_falls_back(one):
    assert one("user_id,item_id,timestamp,event_type\n1,2,2024-05-31,\n")["event_type"] == "purchase"


def test_a_mapped_column_wins_over_one_of_the_canonical_name(one):
    event = one("user_id,item_id,timestamp,quantity,qty\n1,2,2024-05-31,9,4\n", columns={"quantity": "qty"})
    assert event["quantity"] == 4


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2024-05-31", "UTC", datetime(2024, 5, 31)),
        ("2024/5/31 8:05", "UTC", datetime(2024, 5, 31, 8, 5)),
        ("20240531", "Asia/Shanghai", datetime(2024, 5, 30, 16)),
        ("2024-05-31T08:00:00.250", "Asia/Shanghai", datetime(2024, 5, 31, 0, 0, 0, 250000)),
        ("2024-01-31 08:00:00", "America/New_York", datetime(2024, 1, 31, 13)),
        ("2024-07-31 08:00:00", "America/New_York", datetime(2024, 7, 31, 12)),
        ("2024-05-31T08:00:00Z", "Asia/Shanghai", datetime(2024, 5, 31, 8)),
        ("2024-05-31T08:00:00+08:00", "America/New_York", datetime(2024, 5, 31)),
        ("2024-05-31 08:00:00-05", "UTC", datetime(2024, 5, 31, 13)),
        ("1717142400", "Asia/Shanghai", datetime(2024, 5, 31, 8)),
        ("1717142400250", "UTC", datetime(2024, 5, 31, 8, 0, 0, 250000)),
    ],
)
def test_times_become_utc(one, text, zone, utc):
    assert one(f"user_id,item_id,timestamp\n1,2,{text}\n", timezone=zone)["timestamp"] == utc


def test_times_do_not_depend_on_the_zone_of_the_session(one):
    connection = engine.connect()
    connection.raw_sql("SET TimeZone = 'Asia/Tokyo'")
    try:
        event = one("user_id,item_id,timestamp\n1,2,2024-05-31T08:00:00+08:00\n")
    finally:
        connection.raw_sql("RESET TimeZone")
    assert event["timestamp"] == datetime(2024, 5, 31)


def test_a_format_of_ones_own(one):
    event = one("user_id,item_id,timestamp\n1,2,31.05.2024 18:30\n", timestamp_format="%d.%m.%Y %H:%M")
    assert event["timestamp"] == datetime(2024, 5, 31, 18, 30)


def test_every_dropped_row_is_counted_under_its_first_reason(file, loaded, rows):
    first = "u,i,2024-05-31,1\n"
    text = HEADER + first + ",,,-1\n" + "null,i,2024-05-31,1\n" + "u, ,2024-05-31,1\n" + "u,i,,1\n"
    text += "u,i,2999-01-01,1\n" + "u,i,2024-05-31,0\n" + "u,i,2024-05-31,-2\n" + first + first + "u,i,2024-05-31,\n"
    tables = loaded(CSV(file(text)))
    assert tables.drops == {
        "no user": 2,
        "no item": 1,
        "no timestamp": 1,
        "in the future": 1,
        "quantity zero": 1,
        "exact duplicate": 2,
    }
    assert sorted(event["quantity"] or 0 for event in rows(tables.events)) == [0, 1, 2]  # a refund of 2


def test_equal_rows_stay_where_they_are_meant(file, loaded):
    tables = loaded(CSV(file(HEADER + "u,i,2024-05-31,1\n" * 3), drop_duplicates=False))
    assert engine.count(tables.events) == 3


def test_rows_that_differ_in_an_unmapped_column_are_no_duplicates(file, loaded):
    tables = loaded(CSV(file("user_id,item_id,timestamp,line\n1,2,2024-05-31,1\n1,2,2024-05-31,2\n")))
    assert engine.count(tables.events) == 2


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("", {}, "log.csv is empty: it needs a header and at least one row below it"),
        (HEADER, {}, "log.csv is empty: it needs"),
        (
            "user,item_id,timestamp\n1,2,3\n",
            {},
            "no column 'user_id'; set source.columns.user_id=user (the file has 'user', 'item_id', 'timestamp')",
        ),
        (
            "user_id;item_id;timestamp\n1;2;2024-05-31\n",
            {},
            "log.csv has no column 'user_id'; set source.delimiter=semicolon",
        ),
        (
            HEADER + "1,2,2024-05-31,1\n",
            {"columns": {"value": "valeu"}},
            "set source.columns.value=null (the file has 'user_id', 'item_id'",
        ),
        (HEADER + "1,2,2024-05-31,1\n", {"columns": {"customer": "user_id"}}, "source.columns.customer is no column"),
        (HEADER + "1,2,2024-05-31,1\n", {"timezone": "Mars/Base"}, "timezone=Mars/Base is not a time zone"),
        (
            HEADER + "1,2,2024-05-31,1\n1,2,2024-05-31,one\n1,2,2024-05-31,two\n",
            {},
            "log.csv, row 3, column 'quantity': 'one' is not a number (2 in all)",
        ),
        (HEADER + "1,2,2024-05-31,nan1\n", {}, "'nan1' is not a number"),
        (HEADER + "1,2,2024-05-31,1_000\n", {}, "'1_000' is not a number"),
        (HEADER + '1,2,2024-05-31,"1,000"\n', {}, "'1,000' is not a number"),
        (HEADER + "1,2,31/05/2024,1\n", {}, "row 2, column 'timestamp': '31/05/2024' is not an ISO 8601 or Unix time"),
        (HEADER + "1,2,2024-05-31 3:04 PM,1\n", {}, "'2024-05-31 3:04 PM' is not"),
        (HEADER + "1,2,2024-02-30,1\n", {}, "'2024-02-30' is not"),
        (HEADER + "1,2,2024-05-31,1\n", {"timestamp_format": "%d.%m.%Y"}, "is not a time like %d.%m.%Y"),
        (HEADER + "1,2,2024-05-31,1\n1,2\n", {}, "log.csv, row 3: has 2 cells where the header has 4"),
        (HEADER + '1,2,2024-05-31,1\n1,"2,2024-05-31,1\n', {}, "log.csv, row 3: has a quote"),
        (HEADER.encode() + b"\xc4\xe3,2,2024-05-31,1\n", {}, "log.csv, row 2: is not UTF-8; it looks like"),
        ("user_id,item_id,ITEM_ID\n1,2,3\n", {}, "row 1: 2 columns are called 'item_id' (case aside)"),
        (HEADER + ",2,2024-05-31,1\n", {}, "no events are left (dropped: no user 1)"),
    ],
)
def test_a_bad_file_gives_one_sentence(file, loaded, text, settings, message):
    with pytest.raises(DataError) as error:
        loaded(CSV(file(text), **settings))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_is_named(loaded):
    with pytest.raises(DataError, match=r"no log is named: set source\.path"):
        loaded(CSV())


def test_a_missing_file(tmp_path, loaded):
    with pytest.raises(DataError, match=r"nowhere\.csv is not there"):
        loaded(CSV(tmp_path / "nowhere.csv"))


def test_an_unknown_ending_needs_a_delimiter_where_the_lines_do_not_show_it(file, loaded):
    path = file(HEADER.replace(",", "|") + "1|2|2024-05-31|1\n", "log.dat")
    assert engine.count(loaded(CSV(path)).events) == 1
    unclear = file(HEADER.replace(",", "|").replace("y\n", "y,unit\n") + "1|2|2024-05-31|1,5\n", "unclear.dat")
    with pytest.raises(DataError, match=r"the name has no known ending .* set source\.delimiter=comma"):
        loaded(CSV(unclear))
    assert (
        engine.count(loaded(CSV(unclear, delimiter="|", decimal=",", columns={"quantity": "quantity,unit"})).events)
        == 1
    )


def test_a_broken_gzip_file(file, loaded):
    with pytest.raises(DataError, match=r"log\.csv\.gz"):
        loaded(CSV(file("no gzip", "log.csv.gz")))


def test_every_format_gives_the_same_events(file, tmp_path, loaded, rows):
    text = HEADER + "1,2,2024-05-31 18:30:00,1\n"
    tabs = text.replace(",", "\t")
    paths = [
        file(text),
        file("\ufeff" + text.replace("\n", "\r\n"), "windows.csv"),
        file(tabs, "log.tsv"),
        file(gzip.compress(text.encode()), "log.csv.gz"),
        file(pa.compress(tabs.encode(), "zstd", asbytes=True), "log.tsv.zst"),
        file(text, "odd [name]*'.CSV"),
    ]
    table = pa.table({"user_id": [1], "item_id": [2], "timestamp": [datetime(2024, 5, 31, 18, 30)], "quantity": [1.0]})
    pq.write_table(table, tmp_path / "log.parquet")
    first, *others = (rows(loaded(CSV(path)).events) for path in [*paths, tmp_path / "log.parquet"])
    assert others == [first] * len(others)


def test_rows_of_parquet_are_counted_from_one(tmp_path, loaded):
    table = pa.table({"user_id": [1, 1], "item_id": [2, 2], "timestamp": ["2024-05-31", "soon"]})
    pq.write_table(table, tmp_path / "log.parquet")
    with pytest.raises(DataError, match="row 2, column 'timestamp': 'soon'"):
        loaded(CSV(tmp_path / "log.parquet"))


def test_items_come_from_a_second_file(file, loaded, rows):
    items = file("SKU,name,category,colour\n2,Tea,Drinks,green\n2,Tea,Drinks,green\n3,,,\n,Milk,,\n", "items.csv")
    source = CSV(file(HEADER + "1,2,2024-05-31,1\n"), items_path=items, item_columns={"item_id": "SKU"})
    table = loaded(source).items
    assert table is not None
    found = sorted(rows(table), key=lambda item: item["item_id"])
    assert found == [
        {"item_id": "2", "name": "Tea", "category": "Drinks", "colour": "green"},
        {"item_id": "3", "name": None, "category": None, "colour": None},
    ]


def test_an_item_with_two_rows_that_differ(file, loaded):
    items = file("item_id,name\n2,Tea\n2,Milk\n", "items.csv")
    with pytest.raises(DataError, match=r"items\.csv: item '2' has 2 rows that differ"):
        loaded(CSV(file(HEADER + "1,2,2024-05-31,1\n"), items_path=items))


ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(
    lambda text: text.strip() not in {"", "null", "NULL", "NaN", "nan", "None", r"\N"}
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=5, unique=True))
def test_ids_stay_exactly_as_they_are(file, rows, pairs):
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [f"{quoted(user)},{quoted(item)},2024-05-31,1\n" for user, item in pairs]
    events = CSV(file(HEADER + "".join(lines))).read(engine.connect()).events
    assert sorted((event["user_id"], event["item_id"]) for event in rows(events)) == sorted(pairs)


def test_a_unit_price_times_the_quantity_is_the_value(file, loaded, rows):
    text = "user_id,item_id,timestamp,quantity,Price\nu,a,2024-05-31,3,2.5\nu,b,2024-05-31,-1,4\nu,c,2024-05-31,,7\n"
    tables = loaded(CSV(file(text), columns={"unit_price": "Price"}))
    events = {each["item_id"]: each for each in rows(tables.events)}
    assert {item: each["value"] for item, each in events.items()} == {"a": 7.5, "b": -4, "c": 7}
    assert events["b"]["event_type"] == "refund"
    assert "unit_price" not in events["a"]


def test_a_value_and_a_unit_price_are_one_too_many(file, loaded):
    text = "user_id,item_id,timestamp,quantity,price,total\nu,a,2024-05-31,3,2.5,7.5\n"
    with pytest.raises(DataError, match=r"set source\.columns\.unit_price=null or source\.columns\.value=null"):
        loaded(CSV(file(text), columns={"unit_price": "price", "value": "total"}))


@pytest.mark.parametrize("columns", [{"user_id": "who", "basket_id": "who"}, {"user_id": "item_id"}])
def test_a_column_is_mapped_once(file, loaded, columns):
    with pytest.raises(DataError, match=r"source\.columns\.\w+_id are one column, '(who|item_id)'; name another"):
        loaded(CSV(file("who,item_id,timestamp\nu,a,2024-05-31\n"), columns=columns))


def test_event_types_that_are_numbers_have_signals(one):
    event = one("user_id,item_id,timestamp,event_type\nu,a,2024-05-31,1\n", signals={1: "view"})
    assert event["event_type"] == "1"


def test_negative_amounts_of_purchases_in_any_case_are_refunds(one):
    text = "user_id,item_id,timestamp,event_type,value\nu,a,2024-05-31,{},-1\n"
    assert one(text.format("PURCHASE"))["event_type"] == "refund"
    assert one(text.format("View"))["event_type"] == "View"
