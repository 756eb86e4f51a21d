"""What ``load`` does around any source: the cache, the version, the account of rows."""

import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from omniretail.core import engine
from omniretail.schema import DataError, DatasetCard, Tables, check
from omniretail.sources.csv import CSV
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION, load


@dataclass(frozen=True)
class Lines:
    """A file of ``user item`` lines."""

    path: Path = field(metadata=LOCATION)
    channel: str = "online"

    def files(self) -> list[Path]:
        return [self.path]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        pairs = [line.split() for line in self.path.read_text().splitlines()]
        user_id, item_id = ([pair[i] for pair in pairs] for i in (0, 1))
        clock = timestamps(pa.array(range(len(pairs)), pa.int64()).to_numpy())
        events = pa.table({"user_id": user_id, "item_id": item_id, "timestamp": clock})
        events = ibis.memtable(events).mutate(event_type=ibis.literal("view"), channel=ibis.literal(self.channel))
        return Tables(DatasetCard("Lines", clock=False), events, drops={"blank": 1, "bad": 0}, changes={"rounded": 2})


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a" / "lines.txt"
    path.parent.mkdir()
    path.write_text("b x\na y\n")
    return Lines(path)


def test_what_was_read_comes_back_from_the_cache(source, tmp_path, rows, caplog):
    with caplog.at_level(logging.INFO, "omniretail"):
        first = load(source, tmp_path / "cache")
        again = load(source, tmp_path / "cache")
    assert rows(again.events) == rows(first.events)
    assert [event["user_id"] for event in rows(first.events)] == ["a", "b"]
    assert (again.card, again.drops, again.changes) == (first.card, {"blank": 1, "bad": 0}, {"rounded": 2})
    counts = "2 events of 2 customers and 2 items (view 2)"
    assert caplog.messages == [f"Lines: {counts}; dropped: blank 1; changed: rounded 2"] * 2


def test_a_read_says_what_the_log_holds_in_one_line(tmp_path, caplog):
    (tmp_path / "log.csv").write_text(
        "user_id,item_id,timestamp,event_type\nu,a,2024-05-31T20:00:00Z,View\nv,a,2024-06-02,buy\nu,b,2024-06-01,cart\n"
        "u,b,2024-06-03,click\n"
    )
    with caplog.at_level(logging.INFO, "omniretail"):
        load(CSV(tmp_path / "log.csv", timezone="Asia/Shanghai"), tmp_path / "cache")
    assert caplog.messages == [
        "own log: 4 events of 2 customers and 2 items, 2024-06-01 to 2024-06-03 (view 2 · purchase 1 · cart 1); "
        "dropped: nothing"
    ]


def test_the_version_is_of_content_and_settings_not_of_place(source, tmp_path):
    cache = tmp_path / "cache"
    version = load(source, cache).version
    moved = Path(shutil.copytree(source.path.parent, tmp_path / "b")) / source.path.name
    assert load(Lines(moved), cache).version == version
    assert load(replace(source, channel="offline"), cache).version != version
    source.path.write_text("b x\n")
    assert load(source, cache).version != version


def test_no_events_is_an_error_that_says_where_they_went(source, tmp_path):
    source.path.write_text("")
    with pytest.raises(DataError, match=r"Lines: no events are left \(dropped: blank 1; changed: rounded 2\)"):
        load(source, tmp_path / "cache")
    assert not list((tmp_path / "cache" / "tables").iterdir())


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"lines\.txt is not there: .*scripts/fetch\.py"):
        load(Lines(tmp_path / "lines.txt"), tmp_path / "cache")


def test_a_table_without_rows_is_held_against_its_columns(source):
    none = pa.table({"user_id": pa.array([], pa.int64()), "offer_id": pa.array([], pa.int64())})
    whole = none.append_column("timestamp", pa.array([], pa.timestamp("us")))
    whole = whole.append_column("event_type", pa.array([], pa.string()))
    tables = source.read(engine.connect())
    check(replace(tables, offer_events=ibis.memtable(whole)))
    with pytest.raises(
        DataError, match="table offer_events: column 'timestamp' not in table; it has user_id, offer_id"
    ):
        check(replace(tables, offer_events=ibis.memtable(none)))
