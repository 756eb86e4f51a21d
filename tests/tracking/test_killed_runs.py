"""Processes that start together, or that are killed at any moment, leave a store that works and no run RUNNING."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.schema import Tables
from omniretail.tracking.live_runs import OpenMark, close_dead_runs
from omniretail.tracking.store import store_name
from tests.tracking.conftest import local
from tests.tracking.test_runs import dying_server, one_run

__all__ = ["dying_server"]

pytestmark = pytest.mark.usefixtures("own_folder")

RUN = """
import sys, time
from omniretail import tracking
with tracking.tracked(tracking.LOCAL, "shop", "x", {}) as run:
    print(run.run_id, flush=True)
    time.sleep(float(sys.argv[1]))
"""


def started(seconds: float = 0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", RUN, str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed_once(exists: Path, after: float) -> None:
    """Kill a process a while after a file has turned up."""
    process = started(60)
    while not exists.exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(after)
    process.kill()
    process.communicate()


def finish(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    ended = [(process.communicate(), process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * len(processes), [text for (_, text), _ in ended]
    return [out.strip() for (out, _), _ in ended]


@pytest.mark.slow
def test_first_runs_at_once() -> None:
    ids = finish([started() for _ in range(8)])
    client = MlflowClient(local())
    assert {client.get_run(run_id).info.status for run_id in ids} == {"FINISHED"}
    assert sorted(path.name for path in Path().glob("*")) == [".mlflow.db.lock", "mlflow.db", "state"]


@pytest.mark.parametrize("after", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in (0.3, 0.8, 1.5))])
def test_a_kill_while_the_database_is_made(after: float) -> None:
    killed_once(Path(".mlflow.db.unfinished"), after)
    (run_id,) = finish([started()])
    assert MlflowClient(local()).get_run(run_id).info.status == "FINISHED"
    assert not list(Path().glob("*unfinished*"))


def test_the_next_start_closes_a_killed_run_and_no_other(shop: Tables) -> None:
    victim, alive = started(60), started(60)
    assert victim.stdout is not None
    assert alive.stdout is not None
    victim_id, alive_id = victim.stdout.readline().strip(), alive.stdout.readline().strip()
    victim.kill()
    victim.communicate()
    client = MlflowClient(local())
    assert client.get_run(victim_id).info.status == "RUNNING"
    with tracking.tracked(local(), "shop", "own", {}) as own:
        tracking.children(local(), alive_id)
        run = client.get_run(victim_id)
        assert (run.info.status, run.data.tags["error"]) == ("KILLED", "the process ended without closing the run")
        assert client.get_run(alive_id).info.status == "RUNNING"
        assert client.get_run(own.run_id).info.status == "RUNNING"
    alive.kill()
    alive.communicate()
    tracking.open_store(f"sqlite:///{Path.cwd()}/./mlflow.db")  # the same file by another name
    assert client.get_run(alive_id).info.status == "KILLED"
    assert not list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.KILLED"))


def test_a_server_that_dies_during_the_run_keeps_no_twin(shop: Tables, dying_server: str) -> None:
    recorded = one_run(shop, uri=dying_server)
    assert recorded.uri == tracking.LOCAL
    (left,) = Path(os.environ["XDG_STATE_HOME"]).rglob("0.*")
    assert left.suffix == ".FAILED", "it cannot be closed now, so the next command does"

    class Recovered:
        """The server, some time later."""

        closed = ""

        def get_run(self, run_id: str) -> object:
            assert run_id == "0"
            info = type("Info", (), {"status": "RUNNING"})
            return type("Run", (), {"info": info})

        def set_terminated(self, run_id: str, status: str) -> None:
            self.closed = status

    server = Recovered()
    close_dead_runs(server, store_name(dying_server))  # pyright: ignore[reportArgumentType]
    assert server.closed == "FAILED"
    assert not left.exists()


def test_a_home_that_cannot_be_written_is_no_obstacle(shop: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    run = one_run(shop, uri=local())
    assert MlflowClient(local()).get_run(run.run_id).info.status == "FINISHED"
    OpenMark("store", "0").left("FAILED")
