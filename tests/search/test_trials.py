"""Trials are taken one after another; those of a killed process are taken again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from omniretail.search.settings import SearchSettings
from omniretail.search.space import Dimension
from omniretail.search.storage import open_storage, reachable
from omniretail.search.study import ERROR, open_study
from omniretail.search.trials import Queue, counted, is_lost, retry

SPACE = [Dimension("model.l2", 1.0, 100.0, log=True)]
_HANGS = """
import sys, time
from pathlib import Path
from tests.search.test_trials import queue
trial = queue(Path(sys.argv[1])).take()
print(trial.params["model.l2"], flush=True)
time.sleep(60)
"""


def queue(folder: Path, *space: Dimension, **settings: object) -> Queue:
    address = f"sqlite:///{folder}/search.db"
    with reachable(address):
        storage = open_storage(address, retry)
        study = open_study(storage, "mine", ["ndcg_at_10"], {})
    chosen = SearchSettings(space={}, objective=["ndcg_at_10"], storage=address, **settings)  # type: ignore[arg-type]
    return Queue(study, storage, space or SPACE, chosen, folder / "lock")


def drawn(queue: Queue) -> list[object]:
    """Values of all trials that are left; each is told at once."""
    values = []
    while (trial := queue.take()) is not None:
        values.append(next(iter(trial.params.values())))
        queue.study.tell(trial, 0.5)
    return values


def test_a_trial_whose_process_is_killed_is_taken_again(tmp_path: Path) -> None:
    mine = queue(tmp_path, n_trials=2)
    other = subprocess.Popen([sys.executable, "-c", _HANGS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    l2 = float(other.stdout.readline())
    second = mine.take()
    assert second is not None  # the first is in hand: another one
    assert second.params["model.l2"] != l2
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    again = mine.take()
    assert again is not None
    assert again.params["model.l2"] == l2
    states = [trial.state for trial in mine.study.trials]
    assert states == [TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING]
    assert is_lost(mine.study.trials[0])
    assert mine.take() is None  # the lost one is not counted


def test_a_trial_that_kills_its_process_is_tried_three_times(tmp_path: Path) -> None:
    mine = queue(tmp_path, n_trials=1)
    for _ in range(3):
        trial = mine.take()
        assert trial is not None
        trial.set_user_attr("owner", {"host": os.uname().nodename, "pid": 2**22 + 1, "started": 0.0})
        values = trial.params
    mine.retry_lost()
    assert [each.params for each in mine.study.trials] == [values] * 3
    assert not any(each.state == TrialState.WAITING for each in mine.study.trials)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_draws_go_on_where_they_were(tmp_path: Path, sampler: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    first = drawn(queue(parts, n_trials=3, sampler=sampler))
    second = drawn(queue(parts, n_trials=6, sampler=sampler))
    assert first + second == drawn(queue(whole, n_trials=6, sampler=sampler))
    assert len({*first, *second}) == 6
    assert queue(parts, n_trials=6).take() is None


def test_no_trial_of_a_small_space_is_made_twice(tmp_path: Path) -> None:
    assert sorted(drawn(queue(tmp_path, Dimension("model.k", 1, 4, whole=True), n_trials=30))) == [1, 2, 3, 4]


def test_a_failed_trial_counts_and_a_lost_one_does_not(tmp_path: Path) -> None:
    study = queue(tmp_path).study
    for attributes in ({ERROR: "l2 must be positive"}, {}):
        study.add_trial(optuna.create_trial(state=TrialState.FAIL, user_attrs=attributes))
    study.add_trial(optuna.create_trial(state=TrialState.WAITING))
    assert [trial.number for trial in counted(study.trials)] == [0]


def test_a_trial_of_another_machine_is_in_hand(tmp_path: Path) -> None:
    mine = queue(tmp_path, n_trials=1)
    trial = mine.take()
    assert trial is not None
    trial.set_user_attr("owner", {"host": "another", "pid": 2**22 + 1, "started": 0.0})
    assert mine.take() is None
