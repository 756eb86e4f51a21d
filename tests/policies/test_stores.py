from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.policies.store_limits import OpenAt, WithinDistance
from omniretail.policies.stores import AtStores, InStock, OwnStore, Sold
from omniretail.schema import DataError
from omniretail.views.histories import NO_TIME
from omniretail.views.stores.visits import own_store, since, sold, visits
from omniretail.views.train import Train
from tests.policies.factories import AT, DAY, TOWN, shown, town

EVERYTHING = [0, 1, 2, 3, 4, 5]


def test_visits_are_baskets_with_a_store() -> None:
    made = visits(TOWN.histories)
    assert made.row.tolist() == [0, 0, 0, 0, 0, 0, 1, 3]
    assert made.store.tolist() == [1, 1, 1, 0, 0, 2, 1, 3]
    assert made.timestamp[3] == AT - 9 * DAY


@pytest.mark.parametrize(
    ("choice", "weeks", "expected"),
    [
        ("last", None, [2, 1, -1, 3, -1]),
        ("most_frequent", None, [1, 1, -1, 3, -1]),
        ("most_frequent", 8, [0, 1, -1, 3, -1]),  # user 3 was nowhere in these weeks: the last store
        ("most_frequent", 0.5, [2, 1, -1, 3, -1]),
    ],
)
def test_whose_store_is_whose(choice, weeks, expected) -> None:
    assert own_store(TOWN.histories, choice, since(TOWN, weeks)).tolist() == expected


def test_of_equally_frequent_stores_the_later_visited_is_ones_own() -> None:
    train = town([(0, 5, 1, [0]), (0, 4, 0, [0]), (0, 3, 0, [0]), (0, 2, 1, [0])], 1, 1, 2)
    assert own_store(train.histories, "most_frequent", since(train, None)).tolist() == [1]


def test_nobody_nowhere() -> None:
    assert own_store(TOWN.histories.take([]), "most_frequent", 0).tolist() == []
    assert OwnStore().fit(TOWN).within(TOWN.histories.take([])).shape == (0, 4)


def test_what_stores_sold_counted_one_by_one() -> None:
    rng = np.random.default_rng(0)
    bought = [
        (int(user), float(days), int(store), [int(item)])
        for user, days, store, item in zip(
            *(rng.integers(0, 9, 500), rng.uniform(0, 90, 500), rng.integers(-1, 4, 500), rng.integers(0, 7, 500)),
            strict=True,
        )
    ]
    expected = np.zeros((4, 7))
    for _, days, store, items in bought:
        expected[store, items] += store >= 0 and int(days * DAY) <= 21 * DAY
    np.testing.assert_array_equal(sold(town(bought, 9, 7, 4), weeks=3).toarray(), expected)


def test_the_assortment_of_ones_own_store() -> None:
    assert shown(AtStores([OwnStore()], [Sold(weeks=8)])) == [
        [0, 1],
        [3, 4],
        [0, 1, 2, 3, 4],  # without a store: what any store sold
        [],  # a store that sold nothing in these weeks
        [0, 1, 2, 3, 4],
    ]
    assert shown(AtStores([OwnStore("last")], [Sold(weeks=None)]))[0] == [2]
    assert shown(AtStores([OwnStore(weeks=None)], [Sold(weeks=None, at_least=2)]))[0] == [0, 4]


def test_customers_without_a_store_are_named() -> None:
    rule = AtStores([OwnStore()], [Sold()]).fit(TOWN)
    assert rule.unknown(TOWN.histories).tolist() == [False, False, True, False, True]


def test_a_batch_decides_as_its_users_do_alone() -> None:
    rule = AtStores([OwnStore()], [Sold()]).fit(TOWN)
    alone = np.concatenate([rule.feasible(TOWN.histories.take([user])) for user in range(5)])
    np.testing.assert_array_equal(rule.feasible(TOWN.histories), alone)


def test_stock_limits_the_stores_that_it_names_and_no_other(caplog) -> None:
    stock = pd.DataFrame(
        {"store_id": ["s0", "s0", "s0", "elsewhere"], "item_id": [0, 1, 99, 2], "quantity": [0, 3, 5, 7]}
    )
    assert shown(AtStores([OwnStore()], [Sold(), InStock(stock)]))[:2] == [[1], [3, 4]]
    assert shown(AtStores([OwnStore()], [InStock(stock)]))[:2] == [[1], EVERYTHING]
    assert "stock of 1 stores that never sold anything" in caplog.text


def test_a_table_from_a_file_and_what_is_wrong_with_it(tmp_path) -> None:
    (tmp_path / "stock.csv").write_text("store_id,item_id,quantity\ns0,1,4\n")
    assert shown(AtStores([OwnStore()], [InStock(tmp_path / "stock.csv")]))[0] == [1]
    (tmp_path / "stock.csv").write_text("store_id,item\ns0,1\n")
    with pytest.raises(DataError, match=r"stock.csv has no column item_id, quantity; it has store_id, item"):
        shown(AtStores([OwnStore()], [InStock(tmp_path / "stock.csv")]))
    with pytest.raises(DataError, match=r"nowhere.csv does not exist"):
        shown(AtStores([OwnStore()], [InStock("nowhere.csv")]))


PLACES = pd.DataFrame({"store_id": ["s0", "s1", "s2"], "x": [0.0, 3.0, 30.0], "y": [0.0, 4.0, 40.0]})


def test_stores_near_enough() -> None:
    homes = pd.DataFrame({"user_id": [0, 1], "x": [0.0, 29.0], "y": [0.0, 40.0]})
    reach = WithinDistance(5.0, PLACES, homes).fit(TOWN)
    within = reach.within(TOWN.histories)
    assert within[0].tolist() == [True, True, False, True]  # s1 just so, s3 has no place
    assert within[1].tolist() == [False, False, True, True]
    assert within[2].all()
    assert reach.unknown(TOWN.histories).tolist() == [False, False, True, True, True]


def test_kilometres_under_the_names_that_the_simulator_gives_them() -> None:
    named = {"x": "x_km", "y": "y_km"}
    homes = pd.DataFrame({"user_id": [0], "x_km": [0.0], "y_km": [0.0]})
    within = WithinDistance(5.0, PLACES.rename(columns=named), homes).fit(TOWN).within(TOWN.histories)
    assert within[0].tolist() == [True, True, False, True]


def test_without_a_home_the_middle_of_ones_visits_counts() -> None:
    within = WithinDistance(2.5, PLACES).fit(town([(0, 2, 0, [0]), (0, 1, 1, [0])], 1, 1, 3)).within
    middle = town([(0, 2, 0, [0]), (0, 1, 1, [0])], 1, 1, 3).histories
    assert within(middle).tolist() == [[True, True, False]]  # each 2.5 km away


def test_degrees_are_measured_on_the_globe() -> None:
    places = pd.DataFrame({"store_id": ["s0", "s1"], "lat": [0.0, 0.0], "lon": [0.0, 1.0]})
    train = town([(0, 1, 0, [0])], 1, 1, 2)
    assert WithinDistance(111.0, places).fit(train).within(train.histories).tolist() == [[True, False]]
    assert WithinDistance(112.0, places).fit(train).within(train.histories).tolist() == [[True, True]]


def test_places_are_needed_for_a_distance() -> None:
    with pytest.raises(DataError, match="the stores have no places"):
        WithinDistance(5, pd.DataFrame({"store_id": ["s0"]})).fit(TOWN)


HOURS = pd.DataFrame(
    {
        "store_id": ["s0", "s0", "s1", "s2"],
        "weekday": [5, 5, 4, 4],
        "opens": ["08:00", "15:00", "18:00", "9:00"],
        "closes": ["12:00", "24:00", "02:00", "18:00"],
    }
)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2024-05-18T08:00", [True, False, False, True]),  # a Saturday
        ("2024-05-18T12:00", [False, False, False, True]),
        ("2024-05-18T23:59", [True, False, False, True]),
        ("2024-05-18T01:59", [False, True, False, True]),  # on from Friday
        ("2024-05-18T02:00", [False, False, False, True]),
        ("2024-05-17T17:59", [False, False, True, True]),
        (None, [False, True, False, True]),  # the cutoff, Saturday 00:00 UTC
    ],
)
def test_stores_that_are_open(at, open_) -> None:
    assert OpenAt(HOURS, at).fit(TOWN).within(TOWN.histories.take([0])).tolist() == [open_]


def test_a_customer_served_at_a_time_of_their_own_finds_what_is_open_then() -> None:
    reach = OpenAt(HOURS, "2024-05-17T17:59").fit(replace(TOWN, zone="Europe/Berlin"))
    local = pd.DatetimeIndex(["2024-05-18T23:59", "2024-05-18T02:00"], tz="Europe/Berlin")
    times = np.array([*local.as_unit("s").asi8, NO_TIME])
    alone = [OpenAt(HOURS, at).fit(TOWN) for at in ("2024-05-18T23:59", "2024-05-18T02:00", "2024-05-17T17:59")]
    users = TOWN.histories.take([0, 1, 2])
    expected = [each.within(users)[0].tolist() for each in alone]
    assert expected[0] != expected[1] != expected[2]
    assert reach.within(replace(users, served_at=times)).tolist() == expected


def test_a_store_closed_over_the_weeks_end() -> None:
    sunday = pd.DataFrame({"store_id": ["s0"], "weekday": [6], "opens": ["22:00"], "closes": ["03:00"]})
    reach = OpenAt(sunday, "2024-05-20T02:00").fit(TOWN)  # a Monday
    assert reach.within(TOWN.histories.take([0]))[0, 0]


def test_broken_hours_are_named() -> None:
    with pytest.raises(DataError, match="'8 am' must be a time of the form HH:MM"):
        OpenAt(HOURS.assign(opens=["08:00", "8 am", "18:00", "9:00"])).fit(TOWN)


def test_where_reach_is_limited_twice_both_must_agree() -> None:
    home = pd.DataFrame({"user_id": [0], "x": [0.0], "y": [0.0]})
    rule = AtStores([WithinDistance(5.0, PLACES, home), OpenAt(HOURS, "2024-05-18T08:00")], [Sold(weeks=None)])
    assert shown(rule)[0] == [0, 1, 5]  # s0, open, and s3, of which neither place nor hours are known


@pytest.mark.parametrize("rule", [Sold(weeks=8), OwnStore(weeks=8)])
def test_weeks_need_a_clock(rule) -> None:
    order_only = Train(TOWN.histories, TOWN.users, TOWN.items, TOWN.item_table, AT, stores=TOWN.stores, zone="")
    with pytest.raises(ValueError, match="no weeks can be counted: set weeks=null"):
        rule.fit(order_only) if isinstance(rule, OwnStore) else rule.carried(order_only)


def test_a_log_without_stores_is_refused() -> None:
    nowhere = Train(TOWN.histories, TOWN.users, TOWN.items, TOWN.item_table, AT)
    with pytest.raises(ValueError, match="this log has no store_id"):
        AtStores([OwnStore()], [Sold()]).fit(nowhere)
