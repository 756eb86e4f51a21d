"""The profile table, held against numbers worked by hand."""

import math
from datetime import datetime

import ibis
import numpy as np
import pandas as pd
import pytest
from ibis import _

from omniretail.core import engine
from omniretail.core.timezones import local_clock
from omniretail.models.profiles.table import ProfileTable
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.splits.cutoff import Cutoff
from omniretail.views.fold import training_view
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.profile.dictionary import FIXED, HOURS, WEEKDAYS
from omniretail.views.profile.from_histories import profile_frames
from omniretail.views.profile.from_tables import dated_events
from omniretail.views.profile.table import attribute_table, profile_table
from omniretail.views.train import Train
from tests.conftest import shop_events

AT = datetime(2024, 4, 1)  # a Monday
COLUMNS = ["user_id", "timestamp", "basket_id", "store_id", "item_id", "quantity", "value", "discount", "coupon"]
ROWS = [
    ("ann", "2023-12-22 12:00", "a", 1, 1, 2, 4.0, 1.0, 0.0),  # a Friday, 100.5 days before
    ("ann", "2023-12-22 12:00", "a", 1, 2, 1, 3.0, 0.0, 0.0),
    ("ann", "2024-03-02 12:00", "b", 1, 1, 1, 2.0, 0.0, 0.0),  # a Saturday, 29.5 days before
    ("ann", "2024-03-22 20:00", "c", 2, 1, 1, 2.0, 0.5, 0.5),  # a Friday, 9 days and 4 hours before
    ("ann", "2024-03-22 20:00", "c", 2, 2, 1, 3.0, 0.0, 0.0),
    ("ann", "2024-03-22 20:00", "c", 2, 3, 2, 10.0, 0.0, 0.0),
    ("ann", "2024-03-22 20:00", "c", 2, 4, 1, 1.0, 0.0, 0.0),
    ("bob", "2024-03-25 07:30", "d", 1, 1, 1, 2.0, 0.0, 0.0),  # a Monday
]
ITEMS = pd.DataFrame({"item_id": [1, 2, 3, 4], "category": ["tea", "milk", "tea", None]})
VALUE_COLUMNS = ["user_id", "attribute_value", "share", "lines_91", "days_since"]
GAPS = (71.0, 29.5 - 9 - 4 / 24)
ANN = {
    "recency_days": 9 + 4 / 24,
    "tenure_days": 100.5,
    "visits": 3,
    "visits_28": 1,
    "visits_91": 2,
    "active_weeks": 3,
    "gap_mean_days": sum(GAPS) / 2,
    "gap_std_days": (GAPS[0] - GAPS[1]) / 2,
    "gap_regularity": (GAPS[0] - GAPS[1]) / sum(GAPS),
    "overdue": (9 + 4 / 24) / (sum(GAPS) / 2),
    "spend": 25,
    "spend_28": 16,
    "spend_91": 18,
    "basket_value_mean": 25 / 3,
    "basket_value_std": math.sqrt((7**2 + 2**2 + 16**2) / 3 - (25 / 3) ** 2),
    "basket_value_max": 16,
    "basket_lines_mean": 7 / 3,
    "basket_lines_max": 4,
    "small_baskets": 2 / 3,
    "lines": 7,
    "lines_91": 5,
    "quantity_mean": 9 / 7,
    "unit_price_mean": (2 + 3 + 2 + 2 + 3 + 5 + 1) / 7,
    "discount_share": 1.5 / 26.5,
    "discount_share_91": 0.5 / 18.5,
    "discounted_lines": 2 / 7,
    "coupon_share": 0.5 / 26.5,
    "coupon_visits": 1 / 3,
    "stores": 2,
    "store_loyalty": 2 / 3,
    "items": 4,
    "item_entropy": -sum(n / 7 * math.log(n / 7) for n in (3, 2, 1, 1)),
    "repeat_share": 3 / 7,
    "repeat_share_91": 3 / 5,
    "visits_trend": math.log((2 + 1) / (1 + 1)),
    "spend_trend": math.log((18 + 1) / (7 + 1)),
    "visits_trend_28": math.log((1 + 1) / (2 * 28 / 91 + 1)),
    "weekend": 1 / 3,
    **dict.fromkeys((f"hour_{band}" for band in HOURS), 0) | {"hour_midday": 2 / 3, "hour_evening": 1 / 3},
    **dict.fromkeys((f"weekday_{day}" for day in WEEKDAYS), 0) | {"weekday_friday": 2 / 3, "weekday_saturday": 1 / 3},
}


def log(rows: list[tuple] = ROWS) -> pd.DataFrame:
    events = pd.DataFrame(rows, columns=COLUMNS)
    events["timestamp"] = pd.to_datetime(events.timestamp)
    return events.astype({"quantity": float}).assign(event_type="purchase", channel="offline")


def tables_of(events: pd.DataFrame, items: pd.DataFrame | None = ITEMS, zone: str = "UTC") -> Tables:
    table = None if items is None else ibis.memtable(items)
    return Tables(DatasetCard("test shop", zone=zone), ibis.memtable(events), items=table)


def cut(tables: Tables) -> Cutoff:
    return Cutoff(tables.events.filter(_.timestamp < AT), tables.events.filter(_.timestamp >= AT), AT)


def train_of(events: pd.DataFrame, items: pd.DataFrame | None = ITEMS, zone: str = "UTC") -> Train:
    tables = tables_of(events, items, zone)
    return training_view(tables, cut(tables))


def table_of(train: Train) -> pd.DataFrame:
    return ProfileTable().fit(train).table(train.histories, train.at).set_index(train.users.ids)


TABLE = table_of(train_of(log()))


def test_every_fixed_feature_is_worked_by_hand() -> None:
    assert list(ANN) == [feature.name for feature in FIXED]


@pytest.mark.parametrize("name", ANN)
def test_fixed_features(name: str) -> None:
    assert TABLE.loc["ann", name] == pytest.approx(ANN[name], abs=1e-6)


def test_features_of_attribute_values() -> None:
    ann, bob = TABLE.loc["ann"], TABLE.loc["bob"]
    assert ann["share_category=tea"] == pytest.approx(4 / 6), "of the lines whose category is known"
    assert ann["share_category=milk"] == pytest.approx(2 / 6)
    assert (ann["lines_91_category=tea"], ann["lines_91_category=milk"]) == (3, 1)
    assert ann["days_since_category=milk"] == pytest.approx(9 + 4 / 24)
    assert (bob["share_category=milk"], bob["lines_91_category=milk"]) == (0, 0)
    assert np.isnan(bob["days_since_category=milk"]), "never"


def test_dictionary_and_table_name_the_same_in_the_same_order() -> None:
    encoder = ProfileTable().fit(train_of(log()))
    names = [feature.name for feature in encoder.features()]
    assert names == list(TABLE.columns)
    assert len(set(names)) == len(names)
    assert encoder.embed(train_of(log()).histories, 0).shape == (2, len(names))


@pytest.mark.parametrize("max_detailed_values", [0, 40])
def test_columns_hold_what_their_names_say_where_levels_are_cut_and_mixed(max_detailed_values: int) -> None:
    """Levels with many words get shares only, others every kind: values must not slip into a neighbour's column."""
    items = pd.DataFrame({"item_id": np.arange(30), "department": np.arange(30) % 2, "category": np.arange(30) % 7})
    events = shop_events()
    train = train_of(events[events.timestamp < pd.Timestamp(AT)], items)
    encoder = ProfileTable(max_values=4, max_detailed_values=max_detailed_values or 3).fit(train)
    table = encoder.table(train.histories, train.at)
    known = events[events.timestamp < pd.Timestamp(AT)].merge(items, on="item_id")
    for level in ("department", "category"):
        for word in {name.split("=")[1] for name in table if f"share_{level}=" in name}:
            share = (known[level] == int(word)).groupby(known.user_id).mean()
            np.testing.assert_allclose(table[f"share_{level}={word}"], share[train.users.ids])
    assert sum("share_category=" in name for name in table) == 4
    assert any("days_since_department=" in name for name in table)
    assert any("days_since_category=" in name for name in table) == (max_detailed_values == 40)


def test_one_event() -> None:
    bob = TABLE.loc["bob"]
    assert bob["recency_days"] == bob["tenure_days"] == pytest.approx(6 + 16.5 / 24)
    assert (bob["visits"], bob["lines"], bob["item_entropy"], bob["repeat_share"]) == (1, 1, 0, 0)
    assert (bob["hour_morning"], bob["weekday_monday"], bob["weekend"]) == (1, 1, 0)
    assert bob[["gap_mean_days", "gap_std_days", "gap_regularity", "overdue"]].isna().all(), "one visit has no gap"
    assert bob["basket_value_std"] == 0


def test_all_events_on_one_day() -> None:
    rows = [("eve", "2024-03-20 09:00", basket, 1, item, 1, 2.0, 0.0, 0.0) for item, basket in ((1, "a"), (2, "b"))]
    eve = table_of(train_of(log(rows))).loc["eve"]
    assert (eve["visits"], eve["active_weeks"], eve["gap_mean_days"]) == (2, 1, 0)
    assert np.isnan(eve["gap_regularity"]), "no rhythm without gaps"
    assert np.isnan(eve["overdue"])


def test_without_prices_or_stores() -> None:
    bare = table_of(train_of(log().drop(columns=["quantity", "value", "discount", "coupon", "store_id"])))
    absent = [name for name in ANN if bare[name].isna().all()]
    amounts = {"quantity_mean", "unit_price_mean", "discounted_lines", "coupon_visits", "stores", "store_loyalty"}
    amounts |= {name for name in ANN if name.startswith(("spend", "basket_value", "discount_share", "coupon_share"))}
    assert set(absent) == amounts
    rest = [name for name in ANN if name not in amounts]
    pd.testing.assert_frame_equal(bare[rest], TABLE[rest])
    assert not any("price_band" in name for name in bare)


def test_amounts_known_of_some_lines_only() -> None:
    rows = [
        ("ann", "2024-03-20 12:00", "a", None, item, None, value, None, None) for item, value in ((1, 2), (2, None))
    ]
    ann = table_of(train_of(log([*rows, ROWS[-1]]))).loc["ann"]
    assert (ann["spend"], ann["basket_value_max"]) == (2, 2)
    assert ann[["quantity_mean", "discount_share", "discounted_lines", "coupon_visits", "stores"]].isna().all()


@pytest.mark.parametrize("items", [None, ITEMS[["item_id"]], ITEMS.assign(category=None)])
def test_without_categories(items: pd.DataFrame | None) -> None:
    table = table_of(train_of(log(), items))
    assert not any("category" in name for name in table)
    assert table["share_price_band=low"].notna().all(), "bands need prices only"
    pd.testing.assert_frame_equal(table[list(ANN)], TABLE[list(ANN)])


def test_a_category_never_sold_before_the_cutoff_has_no_column() -> None:
    items = pd.concat([ITEMS, pd.DataFrame({"item_id": [9], "category": ["caviar"]})], ignore_index=True)
    later = ("ann", "2024-04-02 12:00", "z", 1, 9, 1, 90.0, 0.0, 0.0)
    pd.testing.assert_frame_equal(table_of(train_of(log([*ROWS, later]), items)), TABLE)


def test_events_after_the_cutoff_change_nothing() -> None:
    mine = ("ann", "2024-04-01 00:00", "z", 1, 1, 9, 90.0, 9.0, 9.0)
    train = train_of(log([*ROWS, mine, ("cat", "2024-05-01 00:00", "y", 7, 3, 1, 1.0, 0.0, 0.0)]))
    pd.testing.assert_frame_equal(table_of(train), TABLE)
    without = train_of(log())
    vectors = [ProfileTable().fit(one).embed(one.histories, one.at) for one in (train, without)]
    np.testing.assert_array_equal(*vectors)


def test_customers_who_did_the_same_have_the_same_row() -> None:
    twin = [("bea", *row[1:2], row[2] * 2, *row[3:]) for row in ROWS if row[0] == "ann"]
    train = train_of(log([*ROWS, *twin]))
    table = table_of(train)
    pd.testing.assert_series_equal(table.loc["ann"], table.loc["bea"], check_names=False)
    vectors = ProfileTable().fit(train).embed(train.histories, train.at)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_hours_and_weekdays_are_those_of_the_customers_clock() -> None:
    rows = [
        ("ann", "2024-01-07 23:30", "a", 1, 1, 1, 2.0, 0.0, 0.0),  # 18:30 on the same Sunday in New York
        ("ann", "2024-04-01 02:00", "b", 1, 1, 1, 2.0, 0.0, 0.0),  # after the cutoff
        ("ann", "2024-03-11 03:30", "c", 1, 1, 1, 2.0, 0.0, 0.0),  # 23:30 on Sunday: summer time began that day
        ("ann", "2024-03-13 03:30", "d", 1, 1, 1, 2.0, 0.0, 0.0),  # 23:30 on Tuesday
    ]
    ann = table_of(train_of(log(rows), zone="America/New_York")).loc["ann"]
    assert ann["hour_afternoon"] == pytest.approx(1 / 3)
    assert ann["hour_evening"] == pytest.approx(2 / 3)
    assert (ann["weekday_sunday"], ann["weekday_tuesday"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    utc = table_of(train_of(log(rows))).loc["ann"]
    assert utc["hour_night"] == pytest.approx(2 / 3)


def test_refunds_do_not_break() -> None:
    refunds = [(*row[:6], -row[6], *row[7:]) for row in ROWS]
    train = train_of(log(refunds))
    ann = table_of(train).loc["ann"]
    assert (ann["spend"], ann["basket_value_max"]) == (-25, -2)
    assert ann["spend_trend"] == 0, "below zero there is no logarithm"
    assert np.isnan(ann["discount_share"]), "no share of what is not positive"
    assert np.isfinite(ProfileTable().fit(train).embed(train.histories, train.at)).all()


def test_an_order_without_dates_is_refused() -> None:
    events = log()
    tables = Tables(DatasetCard("order only", clock=False), ibis.memtable(events))
    with pytest.raises(ValueError, match="a profile needs dates"):
        ProfileTable().fit(training_view(tables, cut(tables)))
    with pytest.raises(DataError, match="a profile needs dates"):
        dated_events(tables, cut(tables))


def test_nobody_at_all() -> None:
    encoder = ProfileTable().fit(train_of(log()))
    assert encoder.table(Histories.of([], 4), 0).shape == (0, TABLE.shape[1])
    assert encoder.table(Histories.of([[], []], 4), 0).shape == (2, TABLE.shape[1])


def rich_shop() -> pd.DataFrame:
    """A random log with hours, amounts and stores, some of them missing."""
    rng = np.random.default_rng(3)
    events = shop_events()
    events["timestamp"] += pd.to_timedelta(events.basket_id * 7919 % 86400, unit="s")
    for name in ("quantity", "value", "discount", "coupon"):
        amounts = rng.integers(1, 9, len(events)) / 4
        events[name] = np.where(rng.random(len(events)) < 0.1, np.nan, amounts)
    events["store_id"] = pd.array(rng.integers(0, 4, len(events)), dtype="Int64")
    events.loc[rng.random(len(events)) < 0.2, "store_id"] = pd.NA
    return events


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("dropped", [[], ["store_id", "value", "coupon", "basket_id"]])
def test_straight_from_the_tables_comes_the_same(zone: str, dropped: list[str]) -> None:
    items = pd.DataFrame({"item_id": np.arange(30), "category": np.arange(30) % 5})
    tables = tables_of(rich_shop().drop(columns=dropped), items, zone)
    train = training_view(tables, cut(tables))
    names, values, _, item_values = item_attributes(train, ["category"])
    fixed, long = profile_frames(train.histories, train.at, zone, item_values[:, names == "category"])
    dated = dated_events(tables, cut(tables), ["category"])
    straight = profile_table(dated).to_pandas().sort_values("user_id", ignore_index=True)
    assert list(straight.user_id) == list(train.users.ids)
    pd.testing.assert_frame_equal(straight[list(fixed)].astype(float), fixed, rtol=1e-5)
    long = long.assign(user_id=train.users.decode(long.user_id), attribute_value=values[long.attribute_value])
    by_value = attribute_table(dated, ["category"]).to_pandas()
    sides = [
        side[VALUE_COLUMNS].sort_values(["user_id", "attribute_value"], ignore_index=True) for side in (by_value, long)
    ]
    pd.testing.assert_frame_equal(*sides, check_dtype=False)


def test_a_level_that_the_item_table_lacks_is_named() -> None:
    for items in (None, ITEMS):
        tables = tables_of(log(), items)
        with pytest.raises(DataError, match="brand"):
            dated_events(tables, cut(tables), ["brand"])


def test_the_clock_turns_with_summer_time() -> None:
    engine.connect()
    utc = pd.to_datetime(["2024-03-31 00:30", "2024-03-31 01:30", "2024-10-27 00:30", "2024-10-27 01:30"])
    table = ibis.memtable(pd.DataFrame({"utc": utc}))
    local = table.select(clock=local_clock(table.utc, "Europe/London")).to_pandas().clock
    assert list(local.dt.strftime("%H:%M")) == ["00:30", "02:30", "01:30", "01:30"]
    spark = table.select(clock=local_clock(table.utc, "Europe/London", spark=True))
    assert "FROM_UTC_TIMESTAMP" in ibis.to_sql(spark, dialect="duckdb").upper()
