from datetime import datetime

import pytest
from benchmarks.tianchi_shaped import write_tianchi_shaped
from ibis import _

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.tianchi_o2o import TianchiO2O

OFFLINE, ONLINE = "ccf_offline_stage1_train.csv", "ccf_online_stage1_train.csv"
TEST = "ccf_offline_stage1_test_revised.csv"
HEADERS = {
    OFFLINE: "User_id,Merchant_id,Coupon_id,Discount_rate,Distance,Date_received,Date",
    ONLINE: "User_id,Merchant_id,Action,Coupon_id,Discount_rate,Date_received,Date",
    TEST: "User_id,Merchant_id,Coupon_id,Discount_rate,Distance,Date_received",
}
USED = "1,20,300,30:5,2,20160301,20160310"
CLICK = "1,50,0,null,null,null,20160302"
JULY = "1,20,300,30:5,null,20160703"


@pytest.fixture
def source(tmp_path):
    def write(offline: list[str] | None = None, online: list[str] | None = None, test: list[str] | None = None):
        for name, lines in {OFFLINE: offline, ONLINE: online, TEST: test}.items():
            if lines is not None:
                (tmp_path / name).write_bytes("".join(f"{line}\r\n" for line in [HEADERS[name], *lines]).encode())
        return TianchiO2O(tmp_path)

    return write


def test_a_used_coupon_is_received_redeemed_and_a_purchase(source, loaded, rows):
    tables = loaded(source([USED], [CLICK]))
    events = [
        (e["event_type"], e["timestamp"], e["channel"], e["item_id"], e["store_id"])
        for e in sorted(rows(tables.events), key=lambda e: e["timestamp"])
    ]
    assert events == [
        ("receive", datetime(2016, 3, 1), "offline", 20, 20),
        ("click", datetime(2016, 3, 2), "online", 50, None),
        ("purchase", datetime(2016, 3, 10), "offline", 20, 20),
    ]
    mailed = [(e["event_type"], e["offer_id"], e["timestamp"], e["distance_m"]) for e in rows(tables.offer_events)]
    assert mailed == [
        ("sent", "300@20160301", datetime(2016, 3, 1), 1000.0),
        ("redeemed", "300@20160301", datetime(2016, 3, 10), 1000.0),
    ]
    assert rows(tables.stores) == [{"store_id": 20}]
    assert rows(tables.offer_items) == [{"offer_id": "300@20160301", "item_id": 20}]
    assert tables.card.note == ""


def test_an_offer_is_a_coupon_of_one_day_that_counts_for_fifteen_more(source, loaded, rows):
    other_day = USED.replace("20160301", "20160302")
    offers = {offer["offer_id"]: offer for offer in rows(loaded(source([USED, other_day], [CLICK])).offers)}
    assert {offer["coupon_id"] for offer in offers.values()} == {300}
    first = offers["300@20160301"]
    assert (first["start"], first["end"]) == (datetime(2016, 3, 1), datetime(2016, 3, 17))
    assert offers["300@20160302"]["end"] == datetime(2016, 3, 18)


@pytest.mark.parametrize(
    ("words", "kind", "min_spend", "off", "discount"),
    [
        ("30:5", "money_off", 30.0, 5.0, 5 / 30),
        ("200:20", "money_off", 200.0, 20.0, 0.1),
        ("0.9", "rate", None, None, 0.1),
    ],
)
def test_discounts_of_both_kinds(source, loaded, rows, words, kind, min_spend, off, discount):
    (offer,) = rows(loaded(source([USED.replace("30:5", words)], [CLICK])).offers)
    assert (offer["kind"], offer["min_spend"], offer["off"]) == (kind, min_spend, off)
    assert offer["discount"] == pytest.approx(discount, abs=1e-6)


def test_online_actions(source, loaded, rows):
    online = [
        "1,50,2,900,0.9,20160302,null",
        "1,50,1,900,0.9,20160303,20160304",
        "1,50,1,null,null,null,20160305",
        "1,50,1,fixed,fixed,20160306,20160306",
        "2,50,1,fixed,fixed,null,20160306",
        CLICK,
        CLICK,
    ]
    tables = loaded(source([USED], online))
    seen = tables.events.filter(_.channel == "online").group_by("event_type").agg(n=_.count())
    assert {each["event_type"]: each["n"] for each in rows(seen)} == {"receive": 2, "purchase": 4, "click": 2}
    assert tables.changes["limited-time price, taken as a purchase without an offer"] == 2
    about = {(e["offer_id"], e["event_type"]) for e in rows(tables.offer_events) if e["store_id"] is None}
    assert about == {("900@20160302", "sent"), ("900@20160303", "sent"), ("900@20160303", "redeemed")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("null,20,300,30:5,2,20160301,20160310", "no customer or merchant"),
        ("1,20,null,null,2,null,null", "neither a coupon nor a date"),
        ("1,20,300,30:5,2,null,20160310", "used without having been received"),
        ("1,20,300,30:5,2,null,null", "coupon without the day of its receipt"),
        ("1,20,300,null,2,20160301,null", "coupon without a discount"),
        ("1,20,300,30:5,2,20160311,20160310", "used before it was received"),
        (USED, "exact duplicate"),
    ],
)
def test_a_row_that_contradicts_itself_is_counted_and_left_out(source, loaded, rows, line, reason):
    tables = loaded(source([USED, line], [CLICK]))
    assert {why: n for why, n in tables.drops.items() if n} == {reason: 1}
    assert engine.count(tables.events) == 3
    assert engine.count(tables.offer_events) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,50,2,null,null,null,20160302", "receipt of no coupon"),
        ("1,50,1,900,0.9,20160302,null", "online purchase without a date"),
    ],
)
def test_an_online_row_that_contradicts_itself(source, loaded, line, reason):
    tables = loaded(source([USED], [CLICK, line]))
    assert {why: n for why, n in tables.drops.items() if n} == {reason: 1}


def test_two_of_a_coupon_on_one_day_are_one_mailing_and_equal_purchases_stay_two(source, loaded, rows):
    plain = "1,20,null,null,2,null,20160310"
    tables = loaded(source([USED, USED.replace("20160310", "null"), plain, plain], [CLICK]))
    kinds = [e["event_type"] for e in rows(tables.offer_events)]
    assert sorted(kinds) == ["redeemed", "sent"]
    assert tables.changes["receipt of a coupon that the customer had got that day, made one"] == 1
    assert engine.count(tables.events.filter(_.event_type == "purchase")) == 3


def test_the_test_file_alone_has_receipts_without_outcomes_and_says_so(source, loaded, rows):
    tables = loaded(source(test=[JULY, JULY]))
    assert "without outcomes" in tables.card.note
    assert [e["event_type"] for e in rows(tables.offer_events)] == ["sent"]
    assert rows(tables.offer_events)[0]["distance_m"] is None
    assert tables.drops["exact duplicate"] == 1


def test_the_test_file_beside_the_others(source, loaded, rows):
    tables = loaded(source([USED], [CLICK], [JULY]))
    assert tables.card.note == ""
    assert {e["timestamp"].month for e in rows(tables.events)} == {3, 7}


def test_one_training_file_without_the_other(source, loaded):
    with pytest.raises(DataError, match=r"ccf_online_stage1_train\.csv is not there: .*scripts/fetch\.py"):
        loaded(source([USED]))


def test_no_file_at_all(source, loaded):
    with pytest.raises(DataError, match=r"ccf_offline_stage1_test_revised\.csv is not there"):
        loaded(source())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x,20,300,30:5,2,20160301,null", "row 3, column 'User_id': 'x' is not a whole number (1 in all)"),
        ("1,20,3.0,30:5,2,20160301,null", "row 3, column 'Coupon_id': '3.0' is not a whole number or 'fixed'"),
        ("1,20,300,5 off,2,20160301,null", "row 3, column 'Discount_rate': '5 off' is not like 30:5 or 0.9"),
        ("1,20,300,0:5,2,20160301,null", "row 3, column 'Discount_rate': '0:5' is not like 30:5 or 0.9"),
        ("1,20,300,30:5,11,20160301,null", "row 3, column 'Distance': '11' is not a code from 0 to 10"),
        ("1,20,300,30:5,2,20160231,null", "row 3, column 'Date_received': '20160231' is not a date like 20160131"),
        ("1,20,300,30:5,2,20160301,2016-03-10", "row 3, column 'Date': '2016-03-10' is not a date like 20160131"),
        ("1,20,300", "row 3: has 3 cells where the header has 7"),
    ],
)
def test_a_bad_cell(source, loaded, line, message):
    with pytest.raises(DataError) as error:
        loaded(source([USED, line], [CLICK]))
    assert f"{OFFLINE}, {message}" in str(error.value)


def test_columns_of_another_file(source, loaded, tmp_path):
    wrong = source([USED], [CLICK])
    (tmp_path / ONLINE).write_bytes((tmp_path / OFFLINE).read_bytes())
    with pytest.raises(DataError, match=r"ccf_online_stage1_train\.csv has no column 'Action'"):
        loaded(wrong)
    (tmp_path / ONLINE).write_text(HEADERS[ONLINE] + ",Weather\n" + CLICK + ",rain\n")
    with pytest.raises(DataError, match=r"has a column 'Weather'; the contest's file has User_id, Merchant_id, Action"):
        loaded(wrong)


def test_made_files_of_the_contests_shape(tmp_path, loaded, rows):
    write_tianchi_shaped(tmp_path, n_offline=3_000, n_online=8_000, n_test=200)
    tables = loaded(TianchiO2O(tmp_path))
    read = engine.count(tables.events.filter(_.event_type.isin(["purchase", "click"])))
    assert read > 8_000 * 0.9
    assert {offer["kind"] for offer in rows(tables.offers)} == {"money_off", "rate"}
    used = engine.count(tables.offer_events.filter(_.event_type == "redeemed"))
    assert 0 < used < engine.count(tables.offer_events.filter(_.event_type == "sent")) / 4
    assert set(tables.drops.values()) <= {0, tables.drops["exact duplicate"]}


@pytest.mark.data
def test_the_public_file(public, loaded, rows):
    tables = loaded(TianchiO2O(public("tianchi_o2o")))
    if "without outcomes" not in tables.card.note:
        pytest.skip("the training files are there too")
    assert {why: n for why, n in tables.drops.items() if n} == {"exact duplicate": 837}
    assert engine.count(tables.events) == engine.count(tables.offer_events) == 113_640 - 837
    assert engine.count(tables.events.select("user_id").distinct()) == 76_309
    assert engine.count(tables.stores) == 1_559
    assert engine.count(tables.offers.select("coupon_id").distinct()) == 2_050
    assert engine.count(tables.offer_events.filter(_.distance_m.isnull())) > 11_000
    (days,) = rows(tables.events.agg(first=_.timestamp.min(), last=_.timestamp.max()))
    assert (days["first"], days["last"]) == (datetime(2016, 7, 1), datetime(2016, 7, 31))
