from datetime import datetime

import pytest
from ibis import _

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.ifood import CHANNELS, IFood

CUSTOMER = {
    "ID": "5524",
    "Year_Birth": "1957",
    "Education": "Graduation",
    "Marital_Status": "Single",
    "Income": "58138",
    "Kidhome": "0",
    "Teenhome": "0",
    "Dt_Customer": "2012-09-04",
    "Recency": "58",
    "MntWines": "635",
    "MntFruits": "88",
    "MntMeatProducts": "546",
    "MntFishProducts": "172",
    "MntSweetProducts": "88",
    "MntGoldProds": "88",
    "NumDealsPurchases": "3",
    "NumWebPurchases": "8",
    "NumCatalogPurchases": "10",
    "NumStorePurchases": "2",
    "NumWebVisitsMonth": "7",
    "AcceptedCmp3": "0",
    "AcceptedCmp4": "0",
    "AcceptedCmp5": "1",
    "AcceptedCmp1": "0",
    "AcceptedCmp2": "0",
    "Complain": "0",
    "Z_CostContact": "3",
    "Z_Revenue": "11",
    "Response": "1",
}


@pytest.fixture
def source(tmp_path):
    def write(*customers: dict[str, str], without: str = "") -> IFood:
        names = [name for name in CUSTOMER if name != without]
        lines = [",".join(names), *(",".join((CUSTOMER | customer)[name] for name in names) for customer in customers)]
        (tmp_path / "ml_project1_data.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
        return IFood(tmp_path)

    return write


def test_a_customer_has_one_event_and_readable_attributes(source, loaded, rows):
    tables = loaded(source({}))
    assert rows(tables.events) == [
        {
            "user_id": 5524,
            "timestamp": datetime(2012, 9, 4),
            "item_id": "membership",
            "event_type": "join",
            "channel": "unknown",
        }
    ]
    (user,) = rows(tables.users)
    assert (user["birth_year"], user["income"], user["spent_wine"], user["education"]) == (
        1957,
        58138,
        635,
        "Graduation",
    )
    assert [user[f"{channel}_share"] for channel in CHANNELS] == [0.4, 0.5, 0.1]
    assert (user["accepted_5"], user["accepted_1"], user["response"]) == (1, 0, 1)
    assert not [name for name in user if name.startswith("Z_")]
    assert tables.offers is None
    assert "not for recommenders" in tables.card.note


def test_tenure_is_counted_back_from_the_last_to_join(source, loaded, rows):
    users = rows(loaded(source({}, {"ID": "7", "Dt_Customer": "2012-09-14"})).users)
    assert {user["user_id"]: user["tenure_days"] for user in users} == {5524: 10, 7: 0}


def test_who_buys_through_no_channel_has_no_shares(source, loaded, rows):
    none = dict.fromkeys(("NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"), "0")
    (user,) = rows(loaded(source(none)).users)
    assert [user[f"{channel}_share"] for channel in CHANNELS] == [None, None, None]


ODD_CELLS = [
    ({"Income": "666666"}, "income", None),
    ({"Year_Birth": "1893"}, "birth_year", None),
    ({"Marital_Status": "YOLO"}, "marital_status", None),
    ({"Marital_Status": "Absurd"}, "marital_status", None),
    ({"Marital_Status": "Alone"}, "marital_status", "Single"),
    ({"Income": ""}, "income", None),
    ({"Year_Birth": "1914"}, "birth_year", 1914),
]


def test_odd_cells_are_emptied_and_counted(source, loaded, rows):
    cells = [cell | {"ID": str(n), "MntWines": str(n)} for n, (cell, _, _) in enumerate(ODD_CELLS)]
    tables = loaded(source(*cells))
    users = {user["user_id"]: user for user in rows(tables.users)}
    assert [users[n][column] for n, (_, column, _) in enumerate(ODD_CELLS)] == [kept for *_, kept in ODD_CELLS]
    assert {what: n for what, n in tables.changes.items() if n} == {
        "income 666,666, emptied": 1,
        "born before 1914, emptied": 1,
        "marital status that is none, emptied": 2,
        "marital status Alone, made Single": 1,
    }


def test_copies_are_dropped_and_like_rows_with_another_response_are_tied(source, loaded, rows):
    tables = loaded(source({}, {"ID": "7"}, {"ID": "9", "Response": "0"}, {"ID": "8", "Income": "1"}))
    assert {why: n for why, n in tables.drops.items() if n} == {"copy of another customer": 1}
    assert {user["user_id"]: user["same"] for user in rows(tables.users)} == {7: 7, 9: 7, 8: 8}
    assert {what: n for what, n in tables.changes.items() if n} == {
        "equal to another but for the response, not dropped": 1
    }


def test_a_row_without_what_it_is_about_is_dropped(source, loaded):
    tables = loaded(source({"ID": "1"}, {"ID": ""}, {"ID": "2", "Dt_Customer": ""}, {"ID": "3", "Response": ""}))
    assert {why: n for why, n in tables.drops.items() if n} == {
        "no customer": 1,
        "no day of joining": 1,
        "no response": 1,
    }
    assert engine.count(tables.events) == 1


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"ID": "x"}, "row 3, column 'ID': 'x' is not a whole number"),
        ({"Income": "much"}, "row 3, column 'Income': 'much' is not a number"),
        ({"Response": "2"}, "row 3, column 'Response': '2' is not 0 or 1"),
        ({"Dt_Customer": "04-09-2012"}, "row 3, column 'Dt_Customer': '04-09-2012' is not a time like %Y-%m-%d"),
    ],
)
def test_a_bad_cell(source, loaded, cell, message):
    with pytest.raises(DataError) as error:
        loaded(source({"ID": "1"}, cell))
    assert f"ml_project1_data.csv, {message}" in str(error.value)


def test_a_bad_file(source, loaded):
    with pytest.raises(DataError, match=r"has no column 'Response'"):
        loaded(source({}, without="Response"))
    with pytest.raises(DataError, match=r"table users: column user_id must be unique"):
        loaded(source({}, {"Income": "1"}))
    with pytest.raises(DataError, match=r"ml_project1_data\.csv is not there"):
        loaded(IFood("/nowhere"))


@pytest.mark.data
def test_the_public_file(public, loaded):
    tables = loaded(IFood(public("ifood_marketing")))
    assert {why: n for why, n in tables.drops.items() if n} == {"copy of another customer": 182}
    assert engine.count(tables.users) == engine.count(tables.events) == 2_240 - 182
    assert tables.changes == {
        "income 666,666, emptied": 1,
        "born before 1914, emptied": 3,
        "marital status that is none, emptied": 4,
        "marital status Alone, made Single": 3,
        "equal to another but for the response, not dropped": 19,
    }
    assert engine.count(tables.users.filter(_.web_share.isnull())) == 6
