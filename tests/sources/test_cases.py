"""Small logs with their right answers, ``tests/cases``: what is read, and when."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from omniretail.config import compose, make
from omniretail.dataset import Dataset
from omniretail.schema import DataError, Tables
from omniretail.sources.csv import CSV
from omniretail.sources.protocol import load
from omniretail.splits import LastBasket, LeaveLast, Temporal
from omniretail.splits.cutoff import Stage
from omniretail.views.cached import load_fold
from omniretail.views.profile.recency_frequency import purchases, recency_frequency

CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture
def case(tmp_path):
    def read(name: str, **settings) -> Tables:
        return load(CSV(CASES / name, **settings), tmp_path / "cache")

    return read


def test_unix_times_before_september_2001(case, rows):
    times = [event["timestamp"] for event in rows(case("movielens_9_digits.csv").events)]
    assert sorted(times) == [
        datetime(2000, 12, 31, 21, 33, 33),
        datetime(2000, 12, 31, 22, 12, 40),
        datetime(2000, 12, 31, 22, 35, 9),
    ]


def test_times_that_end_in_utc(case, rows):
    columns = {"timestamp": "event_time", "item_id": "product_id", "value": "price"}
    events = rows(case("rees46_utc.csv", columns=columns, timezone="Asia/Shanghai").events)
    assert [(event["event_type"], event["timestamp"]) for event in events] == [
        ("view", datetime(2019, 10, 1)),
        ("purchase", datetime(2019, 10, 1, 0, 0, 4)),
    ]


def test_no_header(case, rows):
    events = rows(case("no_header.dat", header=["user_id", "timestamp", "item_id"]).events)
    assert sorted((event["user_id"], event["item_id"]) for event in events) == [("1", "53"), ("1", "83"), ("2", "70")]


def test_no_header_is_noticed(case):
    with pytest.raises(DataError, match=r"set 'source\.header=\[user_id,timestamp,item_id\]', in the order"):
        case("no_header.dat")


def test_float_ids_are_whole(case, rows):
    tables = case("float_ids.parquet")
    assert {event["user_id"] for event in rows(tables.events)} == {"17850", "12345"}
    assert tables.drops["no user"] == 1


def test_an_export_of_western_excel(case, rows):
    with pytest.raises(
        DataError, match=r"cp1252, in which a line reads '1,Café crème,2021-01-01'.*source.encoding=cp1252"
    ):
        case("western_excel_cp1252.csv")
    (event,) = rows(case("western_excel_cp1252.csv", encoding="cp1252").events)
    assert event["item_id"] == "Café crème"


def test_semicolons(case, rows):
    with pytest.raises(DataError, match=r"set source\.delimiter=semicolon"):
        case("semicolon.csv")
    assert len(rows(case("semicolon.csv", delimiter="semicolon").events)) == 1


def test_events_without_a_basket_are_in_the_order_of_time(case, rows, tmp_path):
    tables = case("null_basket_ids.csv", judged=["purchase", "view"])
    n = len(rows(tables.events))
    stages: list[tuple[Stage, int]] = [("test", 0), ("val", 1)]
    for stage, later in stages:
        cut = LastBasket().cutoff(tables.events, stage)
        assert (
            len(rows(cut.before))
            + len(rows(cut.held_out))
            + later * len(rows(LastBasket().cutoff(tables.events, "test").held_out))
            == n
        )
    histories = Dataset(tables, LastBasket(), tmp_path).fold("test").train.histories
    assert (histories.timestamp[1:] >= histories.timestamp[:-1])[histories.rows[1:] == histories.rows[:-1]].all()
    assert (histories.n_baskets == histories.lengths).any()


def test_days_are_those_of_the_customers(case, tmp_path):
    tables = case("shanghai_saturdays.csv", timezone="Asia/Shanghai")
    assert tables.card.zone == "Asia/Shanghai"
    data = Dataset(tables, Temporal(horizon_days=14), tmp_path)
    cut = data.required_split().cutoff(tables.events, "test")
    assert cut.at is not None
    assert (cut.at.hour, cut.at.minute) == (16, 0)  # midnight in Shanghai
    past = recency_frequency(tables.events, at=datetime(2030, 1, 1), zone=tables.card.zone).to_pandas()
    assert set(past.frequency) == {11}
    assert purchases(cut.held_out, zone=tables.card.zone).to_pandas().purchases.sum() == 60


@pytest.mark.parametrize("spelling", ["{}", "{:0>6}", "x{}", "{}é"])
def test_ties_keep_the_order_of_the_file(tmp_path, rows, spelling, caplog):
    lines = (CASES / "ties_same_moment.csv").read_text().splitlines()
    last = {}
    respelt = [lines[0]]
    for line in lines[1:]:
        user, item, time = line.split(",")
        last[user] = spelling.format(item)
        respelt.append(f"{user},{spelling.format(item)},{time}")
    (tmp_path / "log.csv").write_text("\n".join(respelt) + "\n")
    tables = load(CSV(tmp_path / "log.csv"), tmp_path / "cache")
    with caplog.at_level(logging.INFO):
        held_out = rows(LeaveLast().cutoff(tables.events, "test").held_out)
    assert {event["user_id"]: event["item_id"] for event in held_out} == last
    assert "ties in time at the cut" in caplog.text
    fold = Dataset(tables, LeaveLast(), tmp_path).fold("test")
    histories = fold.train.histories
    newest = histories.item_idx[histories.offsets[1:] - 1]
    order = {}
    for line in respelt[1:]:
        user, item, _ = line.split(",")
        order.setdefault(user, []).append(item)
    assert [order[user][-2] for user in fold.train.users.ids] == list(fold.train.items.decode(newest))


def test_numeric_ids_of_all_tables_match(case):
    tables = case("store_now/log.csv", items_path=CASES / "store_now" / "items.csv")
    assert tables.items is not None
    items = set(tables.items.to_pandas().item_id)
    assert Counter(tables.events.to_pandas().item_id.isin(items)).keys() == {True}


def test_only_what_the_store_has_in_stock_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shop, own = CASES / "store_now", {"stores": "store_places", "hours": "store_hours", "stock": "store_stock"}
    paths = [f"source.{name}_path={shop / file}.csv" for name, file in own.items()]
    paths += [f"source.path={shop / 'log.csv'}", f"source.items_path={shop / 'items.csv'}", f"data_root={tmp_path}"]
    settings = ["source=csv", *paths, f"cache_dir={tmp_path / 'cache'}", "policy=store_now", "policy.rules.1.cap=9"]
    cfg = compose(*settings, "model=recommender/popular")
    fold = load_fold(load(make(cfg.source), tmp_path / "cache"), make(cfg.split), "test", tmp_path / "cache")
    policy = make(cfg.policy).fit(fold.train)
    at_2 = replace(fold.users, at_store=np.full(len(fold.users), fold.train.stores.encode(["2"])[0]))
    scores = policy(np.ones((len(at_2), len(fold.train.items))), at_2)
    shown = {fold.train.items.ids[item] for item in np.flatnonzero(np.isfinite(scores).any(axis=0))}
    assert shown == {"100", "101", "102", "103", "104"}
