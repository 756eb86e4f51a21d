"""``split=session``: prefix -> next event, for logs with times and for files with their own test."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from omniretail.core.errors import SettingsError
from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Stage
from omniretail.splits.session import Session
from omniretail.views.cached import load_fold
from omniretail.views.fold import Fold
from tests.conftest import tables_of

START = pd.Timestamp("2024-01-01")


def log(*rows: tuple) -> Tables:
    """Rows of (user, session, item, hour)."""
    events = pd.DataFrame(rows, columns=["user_id", "basket_id", "item_id", "hour"])
    events["timestamp"] = START + events.pop("hour") * pd.Timedelta(hours=1)
    return tables_of(events.assign(event_type="view", channel="online"))


def file(*rows: tuple) -> Tables:
    """Rows of (session, items, fold), in order."""
    events = [(user, item, fold) for user, items, fold in rows for item in items]
    frame = pd.DataFrame(events, columns=["user_id", "item_id", "fold"])
    frame["timestamp"] = START + pd.to_timedelta(range(len(frame)), unit="s")
    return tables_of(frame.assign(event_type="view", channel="online"))


def judged(made: Fold) -> dict[str, tuple[list, list]]:
    """Of each judged user: the items of the history, and those held out that training knows."""
    ids = made.train.items
    return {
        str(user): (
            list(ids.decode(made.users.take([row]).item_idx)),
            list(ids.decode(made.held_out[[row]].indices)),
        )
        for row, user in enumerate(made.user_ids)
    }


def learned(made: Fold) -> dict[str, list]:
    users, items = made.train.users.ids, made.train.items
    return {str(user): list(items.decode(made.train.histories.take([row]).item_idx)) for row, user in enumerate(users)}


LOG = log(
    *(("ann", 1, item, hour) for item, hour in (("a", 1), ("b", 2), ("c", 3))),
    *(("ann", 2, item, hour) for item, hour in (("a", 20), ("c", 25), ("d", 26))),  # goes on into validation's day
    *(("bob", 3, item, hour) for item, hour in (("a", 30), ("b", 31))),  # validation
    *(("bob", 4, item, hour) for item, hour in (("c", 50), ("a", 51), ("b", 52), ("new", 53))),  # test
    ("bob", 5, "a", 54),  # one event: nothing to predict
)


def test_sessions_that_begin_in_the_window_are_judged_at_every_prefix(tmp_path: Path) -> None:
    made = load_fold(LOG, Session(), "test", tmp_path)
    assert judged(made) == {
        "bob, session 4 after 1": (["c"], ["a"]),
        "bob, session 4 after 2": (["c", "a"], ["b"]),
        "bob, session 4 after 3": (["c", "a", "b"], []),  # a new item cannot be hit, and counts as a miss
    }
    assert made.n_held_out.tolist() == [1, 1, 1]
    assert (made.users.user_idx == -1).all()
    assert (made.users.basket == [0, 0, 1, 0, 1, 2]).all()


def test_training_ends_where_the_window_begins(tmp_path: Path) -> None:
    val, test = (learned(load_fold(LOG, Session(), stage, tmp_path)) for stage in ("val", "test"))
    assert val == {"ann, session 1": ["a", "b", "c"], "ann, session 2": ["a"]}
    assert test == val | {"ann, session 2": ["a", "c", "d"], "bob, session 3": ["a", "b"]}


def test_without_baskets_a_users_log_is_a_session(tmp_path: Path) -> None:
    events = LOG.events.to_pandas().drop(columns="basket_id")
    events = events.loc[(events.user_id == "ann") | (events.timestamp > START + pd.Timedelta(hours=48))]
    made = load_fold(tables_of(events), Session(), "test", tmp_path)
    assert list(learned(made)) == ["ann"]
    assert [user.split(" after ")[0] for user in made.user_ids] == ["bob"] * 4


def test_a_history_holds_the_newest_events(tmp_path: Path) -> None:
    made = load_fold(LOG, Session(max_history=1), "test", tmp_path)
    assert [history for history, _ in judged(made).values()] == [["c"], ["a"], ["b"]]


FILE = file(
    (0, "ab", "train"),
    (1, "bc", "train"),
    (2, "cab", "train"),
    (3, "abx", "test"),
    (4, "ab", "test"),
    (5, "c", "test"),
)


def test_the_files_test_is_judged_row_by_row_where_prefixes_are_written_out(tmp_path: Path) -> None:
    made = load_fold(FILE, Session(test_rows="prefixes"), "test", tmp_path)
    assert judged(made) == {"3 after 2": (["a", "b"], []), "4 after 1": (["a"], ["b"])}
    assert list(learned(made)) == ["0", "1", "2"]


def test_or_at_every_prefix(tmp_path: Path) -> None:
    made = load_fold(FILE, Session(), "test", tmp_path)
    assert list(judged(made)) == ["3 after 1", "3 after 2", "4 after 1"]


@pytest.mark.parametrize("test_rows", ["sessions", "prefixes"])
def test_validation_is_the_newest_sessions_of_training(test_rows: str, tmp_path: Path) -> None:
    made = load_fold(FILE, Session(val_share=0.3, test_rows=test_rows), "val", tmp_path)  # type: ignore[arg-type]
    assert judged(made) == {"2 after 1": (["c"], ["a"]), "2 after 2": (["c", "a"], ["b"])}
    assert list(learned(made)) == ["0", "1"]


@pytest.mark.parametrize("stage", ["val", "test"])
@pytest.mark.parametrize("refit", [True, False])
def test_no_event_of_a_judged_session_is_learned_from(stage: Stage, refit: bool, shop: Tables, tmp_path: Path) -> None:
    made = load_fold(shop, Session(horizon_days=10, refit=refit), stage, tmp_path)
    sessions = {user.split(" after ")[0] for user in made.user_ids}
    assert len(sessions) > 10
    assert not sessions & set(made.train.users.ids)


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (Session(horizon_days=30), "no session to learn from"),
        (Session(horizon_days=0.01), "no test session of two events or more"),
    ],
)
def test_nothing_to_learn_from_or_to_judge_is_a_sentence(split: Session, sentence: str) -> None:
    with pytest.raises(DataError, match=f"split=session: {sentence}; choose another split.horizon_days"):
        split.cutoff(LOG.events, "test")


@pytest.mark.parametrize(
    "made", [lambda: Session(horizon_days=0), lambda: Session(val_share=2), lambda: Session(max_history=0)]
)
def test_settings_out_of_range_are_refused(made: Callable[[], Session]) -> None:
    with pytest.raises(SettingsError, match=r"Session: \w+=\d must"):
        made()
