from datetime import datetime

import pandas as pd
import pytest

from omniretail.core.errors import SettingsError
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage
from omniretail.splits.fixed import Fixed
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.target_channel import TargetChannel
from omniretail.splits.temporal import Temporal
from tests.conftest import tables_of


def log(rows: list[tuple], columns: str = "user_id item_id channel day") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns.split()).assign(event_type="purchase")
    days = frame.pop("day") if "day" in frame else 0
    return frame.assign(timestamp=pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"))


def ids(table) -> list[str]:
    return sorted(table.to_pandas().item_id)


DATED = log(
    [
        (1, "w1", "web", 0),
        (1, "w2", "web", 20),
        (1, "w3", "web", 40),
        (1, "t1", "till", 10),
        (1, "t2", "till", 50),
        (2, "t3", "till", 60),
        (2, "w4", "web", 0),
    ]
)


def test_at_a_moment_both_channels_are_cut_and_one_is_judged() -> None:
    cut = TargetChannel("web", Temporal(horizon_days=10, end="2024-02-15")).cutoff(tables_of(DATED).events, "test")
    assert (ids(cut.before), ids(cut.held_out)) == (["t1", "w1", "w2", "w4"], ["w3"])
    assert cut.at == datetime(2024, 2, 5)


def test_by_position_what_a_customer_did_elsewhere_later_is_not_known() -> None:
    cut = TargetChannel("web", LeaveLast(min_events=3)).cutoff(tables_of(DATED).events, "test")
    assert (ids(cut.before), ids(cut.held_out)) == (["t1", "t3", "w1", "w2", "w4"], ["w3"])


FILES = log(
    [
        *((user, f"a{item}", "a", "train") for user in (1, 2) for item in (1, 2, 3)),
        (3, "a9", "a", "train"),
        (1, "a4", "a", "test"),
        (1, "b1", "b", "train"),
        (2, "b2", "b", "test"),
    ],
    "user_id item_id channel fold",
)


def test_files_test_is_the_targets_and_the_others_test_stays_unknown() -> None:
    cut = TargetChannel("a", Fixed(val_share=None)).cutoff(tables_of(FILES).events, "test")
    assert ids(cut.held_out) == ["a4"]
    assert ids(cut.before) == ["a1", "a1", "a2", "a2", "a3", "a3", "a9", "b1"]
    assert "fold" not in cut.before.columns


def test_validation_takes_one_item_of_each_that_another_customer_has() -> None:
    cut = TargetChannel("a", Fixed(val_share=None)).cutoff(tables_of(FILES).events, "val")
    held = cut.held_out.to_pandas()
    assert sorted(held.user_id) == [1, 2]  # nobody shares the third's only item
    assert len(ids(cut.before)) == 6
    again = TargetChannel("a", Fixed(val_share=None)).cutoff(tables_of(FILES).events, "val")
    assert again.held_out.to_pandas().sort_values("user_id").item_id.tolist() == (
        held.sort_values("user_id").item_id.tolist()
    )
    drawn = {
        tuple(ids(TargetChannel("a", Fixed(None, str(salt))).cutoff(tables_of(FILES).events, "val").held_out))
        for salt in range(8)
    }
    assert len(drawn) > 1


def test_an_unknown_channel_is_named_with_those_there_are() -> None:
    with pytest.raises(DataError, match="no channel 'shop'; choose target_channel among till, web"):
        TargetChannel("shop", LeaveLast()).cutoff(tables_of(DATED).events, "test")


TWICE = log(
    [
        *((user, "a1", "a", "train") for user in (1, 2, 3)),
        *((user, "b1", "b", "train") for user in (1, 2)),
        *((user, f"a{user + 1}", "a", "train") for user in (1, 2, 3)),
        (3, "b2", "b", "train"),
        (3, "a4", "a", "test"),
    ],
    "user_id item_id channel fold",
)
"""Items a1 and b1 share two of three buyers."""


def dropping(events: pd.DataFrame, stage: Stage = "test") -> Cutoff:
    return TargetChannel("a", Fixed(val_share=None), "drop").cutoff(tables_of(events).events, stage)


def test_products_of_the_target_leave_the_other_channel() -> None:
    assert ids(dropping(TWICE).before) == ["a1", "a1", "a1", "a2", "a3", "a4", "b2"]


def test_a_log_without_duplicates_stays_whole() -> None:
    assert ids(dropping(FILES).before) == ["a1", "a1", "a2", "a2", "a3", "a3", "a9", "b1"]


@pytest.mark.parametrize("stage", ["val", "test"])
def test_what_is_held_out_does_not_tell_which_items_are_duplicates(stage: Stage) -> None:
    """Other held-out items, the same events before the cutoff: the same events are learned from."""
    cut = dropping(TWICE, stage)
    before = TargetChannel("a", Fixed(val_share=None)).cutoff(tables_of(TWICE).events, stage).before.to_pandas()
    alone = dropping(pd.DataFrame(before.assign(fold="train"), columns=TWICE.columns))
    assert ids(cut.before) == ids(alone.before)


def test_a_word_that_is_no_choice_is_refused() -> None:
    with pytest.raises(SettingsError, match="TargetChannel: duplicate_items='maybe' must be one of keep, drop"):
        TargetChannel("a", Fixed(), "maybe")  # pyright: ignore[reportArgumentType]
