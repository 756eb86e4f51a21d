"""A shop's own tables: users, items, stores and offers from files, typed."""

import pandas as pd
import pytest

import omniretail as om
from omniretail.core.errors import DataError
from omniretail.dataset import checked_attributes
from omniretail.sources.csv import CSV
from omniretail.sources.protocol import load

LOG = "user_id,item_id,timestamp,store_id\n" + "".join(f"{u},{u % 3},2024-01-0{u % 9 + 1},2\n" for u in range(1, 40))


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "users.csv").write_text(
        "customer,gender,age,postcode,vip\n1,f,31,00123,true\n2,m,,04567,false\n3,,45.5,,\n3,,45.5,,\n,f,20,1,true\n"
    )
    (tmp_path / "items.csv").write_text("item_id,name,category,price,weight kg\n0,Pen,OFFICE,1.5,1\n1,Cup,KITCHEN,,2\n")
    (tmp_path / "stores.csv").write_text("store_id,latitude,longitude\n2.0,52.5,13.4\n")
    (tmp_path / "offers.csv").write_text("offer_id,start,end,discount\nA,2024-01-01,2024-01-10,0.25\n")
    (tmp_path / "offer_items.csv").write_text("offer_id,item_id\nA,0\n")
    (tmp_path / "offer_events.csv").write_text(
        "user_id,offer_id,timestamp,event_type\n1,A,2024-01-02,sent\n1,A,2024-01-05,redeemed\n"
    )
    return tmp_path


def read(shop, **settings):
    return load(CSV(path=shop / "log.csv", **settings), shop / "cache")


def test_attributes_are_typed_and_missing_values_stay_missing(shop):
    tables = read(shop, users_path=shop / "users.csv", user_columns={"user_id": "customer"})
    users = tables.users.to_pandas().set_index("user_id")
    assert users.index.tolist() == ["1", "2", "3"]  # repeats and rows without an id are left out
    assert users.age.dtype == float
    assert users.postcode.dropna().tolist() == ["00123", "04567"]
    assert users.gender.isna().tolist() == [False, False, True]


def test_items_carry_attributes_of_any_name(shop):
    items = read(shop, items_path=shop / "items.csv").items.to_pandas()
    assert list(items) == ["item_id", "name", "category", "price", "weight kg"]
    assert items["weight kg"].dtype == int
    assert items.price.isna().tolist() == [False, True]


def test_ids_are_typed_by_one_rule(shop):
    tables = read(shop, stores_path=shop / "stores.csv")
    assert tables.stores.to_pandas().store_id.tolist() == tables.events.to_pandas().store_id.unique().tolist() == ["2"]


def test_offers_and_what_was_done_with_them(shop):
    tables = read(
        shop,
        offers_path=shop / "offers.csv",
        offer_items_path=shop / "offer_items.csv",
        offer_events_path=shop / "offer_events.csv",
    )
    offer = tables.offers.to_pandas().iloc[0]
    assert (offer.channel, offer.kind, offer.discount) == ("online", "offer", 0.25)
    assert tables.offer_events.to_pandas().event_type.tolist() == ["sent", "redeemed"]


def test_a_customer_with_two_rows_that_differ_is_refused(shop):
    with (shop / "users.csv").open("a") as file:
        file.write("1,m,31,00123,true\n")
    with pytest.raises(DataError, match=r"users\.csv: user '1' has 2 rows that differ"):
        read(shop, users_path=shop / "users.csv", user_columns={"user_id": "customer"})


def test_a_missing_column_names_the_setting(shop):
    with pytest.raises(DataError, match=r"source\.user_columns\.user_id=customer"):
        read(shop, users_path=shop / "users.csv")


def test_frames_take_the_same_way(shop):
    users = pd.DataFrame({"user_id": [1, 2], "gender": ["f", None]})
    data = om.Dataset.from_frames(pd.read_csv(shop / "log.csv"), users=users)
    assert data.tables.users.to_pandas().user_id.tolist() == ["1", "2"]
    assert data.user_attributes == {"gender": "gender"}


def test_every_attribute_is_a_question_and_unknown_ones_are_refused(shop):
    tables = read(shop, users_path=shop / "users.csv", user_columns={"user_id": "customer"})
    assert set(checked_attributes(tables, None)) == {"gender", "age", "postcode", "vip"}
    with pytest.raises(DataError, match=r"no attribute gendre; set 'user_attributes=\{sex:gender\}'"):
        checked_attributes(tables, {"sex": "gendre"})
    with pytest.raises(DataError, match=r"set source\.users_path"):
        checked_attributes(read(shop), {"sex": "gender"})


def test_attributes_with_a_decimal_comma_are_numbers(shop):
    (shop / "items.csv").write_text("item_id;price\n0;1,5\n1;2\n")
    (shop / "log.csv").write_text(LOG.replace(",", ";"))
    items = read(shop, items_path=shop / "items.csv", delimiter=";", decimal=",").items.to_pandas()
    assert items.price.tolist() == [1.5, 2.0]


def test_stock_and_hours_are_typed(shop):
    (shop / "stock.csv").write_text("store_id,item_id,quantity\n2.0,0,5\n2.0,1,\n")
    (shop / "hours.csv").write_text("store_id,weekday,opens,closes\n2,0,09:00,20:00\n")
    tables = read(shop, stock_path=shop / "stock.csv", hours_path=shop / "hours.csv")
    assert tables.stock.to_pandas().to_numpy().tolist() == [["2", "0", 5.0]]
    assert tables.hours.to_pandas().to_numpy().tolist() == [["2", 0.0, "09:00", "20:00"]]
