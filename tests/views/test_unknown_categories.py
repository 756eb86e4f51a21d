"""Channels and event types beyond 128, and those that a training set lacks."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from omniretail.profile.windows import aligned
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff
from omniretail.views import fold as fold_module
from omniretail.views.channels import in_channel
from omniretail.views.fold import training_view
from omniretail.views.item_channels import item_channels
from omniretail.views.sequences import CIRCUMSTANCES, circumstances
from omniretail.views.train import Train
from tests.conftest import tables_of


def train(kinds: list[str]) -> Train:
    """A user who takes item 0 once through each channel and once in each way."""
    events = pd.DataFrame({"channel": kinds, "event_type": kinds, "user_id": 1, "item_id": 0})
    tables = tables_of(events.assign(timestamp=pd.date_range("2024-01-01", periods=len(kinds))))
    return training_view(tables, Cutoff(tables.events, tables.events.limit(0)))


def test_more_than_128_are_counted_through() -> None:
    many = train([f"kind {number:03d}" for number in range(300)])
    assert many.histories.channel.tolist() == many.histories.event_type.tolist() == list(range(300))


def test_more_than_there_are_codes_is_said(monkeypatch) -> None:
    monkeypatch.setattr(fold_module, "MAX_CATEGORIES", 2)
    with pytest.raises(DataError, match="event_type has 3 values, but at most 2 are supported"):
        train(["a", "b", "c"])


def test_what_the_earlier_training_set_lacks_is_unknown_and_not_its_first() -> None:
    earlier, later = train(["store", "web"]), train(["app", "store", "web"])
    histories = aligned(later, earlier)
    assert histories.channel.tolist() == histories.event_type.tolist() == [-1, 0, 1]
    assert histories.channel.dtype == later.histories.channel.dtype
    codes = circumstances(histories, ["event_type", "channel"])
    assert codes[:, 0].tolist() == [CIRCUMSTANCES["event_type"] - 1, 0, 1]
    assert codes[:, 1].tolist() == [CIRCUMSTANCES["channel"] - 1, 0, 1]
    assert in_channel(histories, earlier, "store").tolist() == [False, True, False]
    assert in_channel(histories, earlier, "app").tolist() == [False, False, False]
    unknown = dataclasses.replace(later, histories=dataclasses.replace(later.histories, channel=np.array([-1, -1, 2])))
    assert item_channels(unknown).tolist() == [2]
