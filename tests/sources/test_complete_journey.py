from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis import _

from omniretail.core import engine
from omniretail.schema import DataError, Tables
from omniretail.sources import complete_journey
from omniretail.sources.complete_journey import CompleteJourney
from omniretail.sources.protocol import load


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Tables:
    return load(CompleteJourney(), tmp_path_factory.mktemp("cache"))


def test_every_transaction_is_an_event_or_counted(tables):
    assert tables.drops == {
        "quantity 0": 8_869,
        "product unknown": 32,
        "coupon": 408,
        "gift card, ticket or till key": 2_464,
    }
    assert engine.count(tables.events) + sum(tables.drops.values()) == 1_469_307


def test_times_are_utc_and_fuel_is_one_fill(tables, rows):
    (extremes,) = rows(tables.events.agg(first=_.timestamp.min(), last=_.timestamp.max(), most=_.quantity.max()))
    assert extremes["first"] == datetime(2017, 1, 1, 11, 53, 26)
    assert extremes["last"] == datetime(2018, 1, 1, 4, 1, 20)
    assert extremes["most"] == 144  # ears of corn
    assert tables.changes == {"fuel, quantity set to 1": 14_697}


def test_amounts_are_in_whole_cents(tables):
    dust = tables.events.filter(((_.value * 100).round() - _.value * 100).abs() > 1e-6)
    assert engine.count(dust) == 0


def test_all_households_are_users_and_801_have_demographics(tables):
    assert engine.count(tables.users) == 2_469
    assert engine.count(tables.users.filter(_.age.notnull())) == 801
    assert engine.count(tables.users.filter(_.age.notnull(), _.home_ownership.isnull())) == 233
    assert engine.count(tables.stores) == 457


def test_items_have_names_for_people(tables, rows):
    some = rows(tables.items.filter(_.item_id.isin([25671, 26081, 26093])).order_by("item_id"))
    assert [item["name"] for item in some] == ["Ice - crushed/cubed, 22 LB", "Miscellaneous", "Bread:italian/french"]
    assert (some[0]["department"], some[0]["category"], some[0]["type"]) == (
        "GROCERY",
        "FRZN ICE",
        "ICE - CRUSHED/CUBED",
    )
    assert engine.count(tables.items.filter(_.name.contains("(") & ~_.name.contains(")"))) == 0
    assert engine.count(tables.events.anti_join(tables.items, "item_id")) == 0


def test_offers_run_from_local_midnight_to_local_midnight(tables, rows):
    offers = {offer["offer_id"]: offer for offer in rows(tables.offers)}
    assert len(offers) == 27
    summer, into_winter = offers[8], offers[14]
    assert (summer["start"], summer["end"]) == (datetime(2017, 5, 8, 4), datetime(2017, 6, 26, 4))
    assert (into_winter["start"], into_winter["end"]) == (datetime(2017, 9, 4, 4), datetime(2017, 11, 9, 5))
    assert sum(offer["end"] > datetime(2018, 1, 1, 5) for offer in offers.values()) == 5
    assert {offer["kind"] for offer in offers.values()} == {"Type A", "Type B", "Type C"}


def test_offer_events(tables):
    sent, redeemed = (tables.offer_events.filter(_.event_type == kind) for kind in ("sent", "redeemed"))
    assert engine.count(sent) == 6_589
    assert engine.count(redeemed) == 2_102
    assert engine.count(redeemed.select("user_id").distinct()) == 410
    during = redeemed.join(tables.offers, "offer_id").filter(_.timestamp >= _.start, _.timestamp < _.end)
    assert engine.count(during) == 2_102
    assert engine.count(tables.offer_items) == 104_011


def test_the_card_says_what_the_data_is_fit_for(tables):
    assert "education and exploration" in tables.card.note
    assert tables.card.currency == "USD"


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(complete_journey, "_PACKAGE", "no_such_package")
    with pytest.raises(DataError, match="no_such_package is not installed"):
        CompleteJourney().files()


def test_the_files_may_lie_elsewhere(tmp_path):
    for file in CompleteJourney().files():
        table = pq.read_table(file).slice(0, 50)
        pq.write_table(table, tmp_path / file.name)
    household = pq.read_table(tmp_path / "transactions.parquet")["household_id"]
    found = CompleteJourney(tmp_path).read(engine.connect())
    assert engine.count(found.users) == len(pa.compute.unique(household))
