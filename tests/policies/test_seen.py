import logging

import pandas as pd

from omniretail.dataset import Dataset
from omniretail.policies.protocol import fitted
from omniretail.policies.seen import SeenByRepeats, allow_seen, hide_seen
from omniretail.splits import LeaveLast
from tests.conftest import shop_events, tables_of


def decided(events: pd.DataFrame, tmp_path) -> object:
    train = Dataset(tables_of(events), LeaveLast(), tmp_path).fold("test").train
    return fitted([SeenByRepeats()], train)[0]


def test_seen_items_are_hidden_where_nobody_has_an_item_twice(tmp_path, caplog) -> None:
    events = shop_events()
    assert decided(events, tmp_path / "a") is allow_seen
    with caplog.at_level(logging.INFO):
        assert decided(events.drop_duplicates(["user_id", "item_id"]), tmp_path / "b") is hide_seen
    assert "nobody has an item twice" in caplog.text
