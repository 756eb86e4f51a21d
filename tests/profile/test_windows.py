"""Two cutoffs, one window apart."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.profile.windows import aligned, date_text, two_windows
from omniretail.splits.cutoff import Stage
from omniretail.splits.leave_last import LeaveLast
from tests.conftest import tables_of
from tests.profile.probing.factories import CUTOFF, WINDOW, dataset, log, shop


@pytest.mark.parametrize(("stage", "at"), [("test", CUTOFF), ("val", pd.Timestamp("2024-05-06"))])
def test_windows_are_consecutive(tmp_path: Path, stage: Stage, at: pd.Timestamp) -> None:
    windows = two_windows(dataset(tmp_path), stage)
    assert (windows.earlier.at, windows.later.at) == (at.timestamp() - WINDOW.total_seconds(), at.timestamp())
    events = log()
    for window, start in ((windows.earlier_window, at - WINDOW), (windows.later_window, at)):
        expected = events[events.timestamp.between(start, start + WINDOW, inclusive="left")]
        assert sorted(window.to_pandas().basket_id) == sorted(expected.basket_id)
    assert windows.earlier.histories.timestamp.max() < windows.earlier.at
    assert windows.later.histories.timestamp.max() < windows.later.at


def test_later_histories_under_the_earlier_indices(tmp_path: Path) -> None:
    """Item 5 is new in a's second basket, which also holds 9; her third basket holds nothing else; b is new."""
    rows = [("a", 60, 7, 0), ("a", 60, 9, 0), ("a", 40, 5, 1), ("a", 40, 9, 1), ("a", 35, 5, 2), ("a", 30, 7, 3)]
    rows += [("b", 31, 5, 4), ("b", 30, 9, 5), ("c", 90, 9, 6), ("c", 1, 9, 7)]
    events = pd.DataFrame(rows, columns=["user_id", "age", "item_id", "basket_id"])
    events["timestamp"] = CUTOFF + WINDOW - pd.to_timedelta(events.pop("age"), unit="D")
    tables = tables_of(events.assign(event_type="purchase", channel="offline"))
    windows = two_windows(dataset(tmp_path, tables), "test")
    assert windows.earlier.users.ids.tolist() == ["a", "c"]
    assert windows.later.users.ids.tolist() == ["a", "b", "c"]
    histories = aligned(windows.later, windows.earlier)
    assert histories.user_idx.tolist() == [0, -1, 1]
    assert histories.n_items == 2
    assert histories.offsets.tolist() == [0, 4, 5, 6]
    assert windows.earlier.items.ids[histories.item_idx].tolist() == [7, 9, 9, 7, 9, 9]
    assert histories.basket.tolist() == [0, 0, 1, 2, 0, 0]


def test_a_time_for_people() -> None:
    assert date_text(1_717_372_800 + 3600) == "2024-06-03"


def test_a_split_by_position_or_a_log_without_dates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="choose split=temporal"):
        two_windows(dataset(tmp_path).with_split(LeaveLast()), "test")
    undated = replace(shop(), card=replace(shop().card, clock=False))
    with pytest.raises(DataError, match="an order of events only"):
        two_windows(dataset(tmp_path, undated), "val")
