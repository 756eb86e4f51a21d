from datetime import datetime

import pytest

from omniretail.core import engine
from omniretail.sources.lightgcn_splits import LightGCN


def test_folds_and_what_they_share(tmp_path, loaded, rows):
    (tmp_path / "train.txt").write_text("0 1 2 2\n1 3\n")
    (tmp_path / "test.txt").write_text("0 2 4\n1\n2 5 5\n")
    tables = loaded(LightGCN(tmp_path))
    events = sorted((event["user_id"], event["item_id"], event["fold"]) for event in rows(tables.events))
    assert events == [(0, 1, "train"), (0, 2, "train"), (0, 4, "test"), (1, 3, "train"), (2, 5, "test")]
    assert tables.drops == {"test pair that train has too": 1, "repeated pair": 2, "line without items": 1}


def test_there_is_no_clock(tmp_path, loaded, rows):
    for name in ("train.txt", "test.txt"):
        (tmp_path / name).write_text(f"0 {len(name)}\n")
    tables = loaded(LightGCN(tmp_path, title="Shop", event_type="purchase", channel="online"))
    assert {event["timestamp"] for event in rows(tables.events)} == {datetime(1970, 1, 1)}
    assert {(event["event_type"], event["channel"]) for event in rows(tables.events)} == {("purchase", "online")}
    assert (tables.card.title, tables.card.clock) == ("Shop", False)


@pytest.mark.data
def test_gowalla(public, loaded):
    tables = loaded(LightGCN(public("gowalla")))
    folds = {fold: engine.count(tables.events.filter(tables.events.fold == fold)) for fold in ("train", "test")}
    assert folds == {"train": 810_128, "test": 217_242}
    assert engine.count(tables.events.select("user_id").distinct()) == 29_858
    assert engine.count(tables.events.select("item_id").distinct()) == 40_981
    assert set(tables.drops.values()) == {0}
