"""Several machines on one PostgreSQL: each has its own trials, and those of a machine that is gone are tried again."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from omniretail.search.settings import SearchSettings
from omniretail.search.space import Dimension
from omniretail.search.storage import open_storage, reachable
from omniretail.search.study import open_study
from omniretail.search.trials import Queue, retry
from tests.tracking.server.test_running import database

pytestmark = pytest.mark.postgres
__all__ = ["database"]
SPACE = [Dimension("model.l2", 1.0, 100.0, log=True)]


def machine(address: str, folder: Path) -> Queue:
    with reachable(address):
        storage = open_storage(address, retry)
        study = open_study(storage, "mine", ["ndcg_at_10"], {})
    settings = SearchSettings(space={}, objective=["ndcg_at_10"], storage=address, n_trials=3)
    return Queue(study, storage, SPACE, settings, folder / "lock")


def test_machines_share_a_study(database: str, tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="pip install 'omniretail[server]'")
    one, two = (machine(database, tmp_path / name) for name in ("one", "two"))
    first, second = one.take(), two.take()
    assert first is not None
    assert second is not None
    assert first.params != second.params
    with two.alive(second):
        two.study.tell(second, 0.5)
    first.set_user_attr("owner", {"host": "one", "pid": 1, "started": 0.0})
    one.storage.record_heartbeat(first._trial_id)
    assert two.take() is not None  # the first is still in hand: a third one
    two.storage.grace_period = 1
    time.sleep(2.5)
    again = replace(two, settings=replace(two.settings, n_trials=4)).take()
    assert again is not None
    assert again.params == first.params
    assert [trial.state for trial in two.study.trials].count(TrialState.FAIL) == 1
    for each in (one, two):
        each.storage.engine.dispose()
