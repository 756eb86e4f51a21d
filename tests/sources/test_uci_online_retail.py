import gzip
from datetime import datetime

import pytest
from ibis import _

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.uci_online_retail import UCIOnlineRetail

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GOOD = "536365,85123A,HOLDER,6,2011-07-01 08:26:00,2.55,17850,United Kingdom\n"


@pytest.fixture
def source(tmp_path):
    def write(text: str) -> UCIOnlineRetail:
        (tmp_path / "online_retail.csv.gz").write_bytes(gzip.compress(text.encode()))
        return UCIOnlineRetail(tmp_path)

    return write


def test_a_line_of_an_invoice(source, loaded, rows):
    assert rows(loaded(source(HEADER + GOOD)).events) == [
        {
            "user_id": "17850",
            "item_id": "85123A",
            "timestamp": datetime(2011, 7, 1, 7, 26),
            "event_type": "purchase",
            "channel": "online",
            "basket_id": "536365",
            "quantity": 6.0,
            "value": 15.3,
        }
    ]


def test_every_trap_is_counted_under_its_first_reason(source, loaded):
    text = HEADER + GOOD + GOOD
    text += "C536365,85123A,HOLDER,-6,2011-07-01 08:26:00,2.55,,France\n"
    text += "536366,85123A,HOLDER,-6,2011-07-01 08:26:00,0,,France\n"
    text += "536366,85123A,HOLDER,-6,2011-07-01 08:26:00,0,1,France\n"
    text += "536366,85123A,HOLDER,6,2011-07-01 08:26:00,-11062.06,1,France\n"
    text += "".join(
        f"536367,{code},X,1,2011-07-01 08:26:00,1,1,France\n" for code in ("POST", "BANK CHARGES", "gift_0001_20")
    )
    text += "".join(f"536368,{code},X,1,2011-07-01 08:26:00,1,1,France\n" for code in ("PADS", "DCGSSGIRL", "15056bl"))
    tables = loaded(source(text))
    assert tables.drops == {
        "cancelled": 1,
        "no customer": 1,
        "quantity not positive": 1,
        "price not positive": 1,
        "not a product": 3,
        "exact duplicate": 1,
    }
    assert engine.count(tables.events) == 4


def test_the_most_frequent_name_and_country_win(source, loaded, rows):
    lines = [("TEA", "France"), ("TEA", "Spain"), ("", "Spain"), ("tea?", "France"), ("", "France"), ("", "Italy")]
    text = "".join(
        f"{n},22139,{name},1,2011-07-01 08:26:00,1,12,{country}\n" for n, (name, country) in enumerate(lines, 100_000)
    )
    text += "100009,22140,,1,2011-07-01 08:26:00,1,12,France\n"
    tables = loaded(source(HEADER + text))
    assert rows(tables.users) == [{"user_id": "12", "country": "France"}]
    assert rows(tables.items) == [{"item_id": "22139", "name": "TEA"}, {"item_id": "22140", "name": None}]


def test_a_bad_file(source, loaded):
    with pytest.raises(DataError, match=r"row 3, column 'UnitPrice': 'free' is not a number \(1 in all\)"):
        loaded(source(HEADER + GOOD + GOOD.replace("2.55", "free")))
    with pytest.raises(DataError, match=r"online_retail\.csv\.gz has no column 'CustomerID'"):
        loaded(source(HEADER.replace("CustomerID", "Customer ID") + GOOD))


@pytest.mark.data
def test_the_public_file(public, loaded):
    tables = loaded(UCIOnlineRetail(public("uci_online_retail")))
    kept = engine.count(tables.events)
    assert kept + sum(tables.drops.values()) == 541_909
    assert tables.drops == {
        "cancelled": 9_288,
        "no customer": 134_697,  # of 135,080; the other 383 are cancelled too
        "quantity not positive": 0,  # the 10,624 are all cancelled or without a customer
        "price not positive": 40,
        "not a product": 1_544,
        "exact duplicate": 5_187,  # of 5,268; the others are cancelled or without a customer
    }
    assert engine.count(tables.users) == engine.count(tables.events.select("user_id").distinct())
    assert engine.count(tables.items.filter(_.name.isnull())) == 0
