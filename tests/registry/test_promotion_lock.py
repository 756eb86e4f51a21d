"""Several processes at one registry: none is lost, none jumps the queue, and the dead do not block it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from omniretail.registry import promotion_lock as turns
from omniretail.registry.promotion import history, promote, rollback
from omniretail.registry.promotion_lock import LOCK, promotion_lock
from tests.registry import racing
from tests.registry.factories import add_version, champion

Started = Callable[..., Connection]


@pytest.fixture(scope="module")
def context() -> Any:
    """Processes forked from one clean server that has imported everything once."""
    context = multiprocessing.get_context("forkserver")
    stores = [f"mlflow.store.{what}.sqlalchemy_store" for what in ("tracking", "model_registry")]
    context.set_forkserver_preload(["tests.registry.racing", *stores])
    return context


@pytest.fixture
def start(context: Any) -> Iterator[Started]:
    processes = []

    def begin(target: Callable, *arguments: object) -> Connection:
        here, there = context.Pipe(duplex=False)
        processes.append(context.Process(target=target, args=(*arguments, there), daemon=True))
        processes[-1].start()
        there.close()
        return here

    yield begin
    for process in processes:
        process.kill()
        process.join()
        process.close()


def heard(said: Connection) -> Any:
    assert said.poll(90), "the process said nothing"
    found = said.recv()
    said.close()
    return found


def tickets(uri: str, name: str) -> list[int]:
    return sorted(int(v.version) for v in MlflowClient(uri, uri).search_model_versions(f"name = '{name + LOCK}'"))


def test_the_second_of_two_is_judged_against_the_first(
    uri: str, name: str, runs: dict[str, str], start: Started, context: Any
) -> None:
    """Both beat the champion that they found; only one order lets both stand."""
    for what in ("0.3", "0.4", "0.5"):
        add_version(uri, name, runs[what])
    promote(uri, name, 1, racing.GATE)
    met = context.Barrier(2)
    two, three = (heard(s) for s in [start(racing.promote, uri, name, v, "", met) for v in ("2", "3")])
    moves = [(e.version, e.before) for e in history(uri, name)]
    assert three[2]
    if two[2]:
        assert moves == [("1", ""), ("2", "1"), ("3", "2")]
        assert three[1] == "2", "the second to come was judged against the first's outcome"
    else:
        assert moves == [("1", ""), ("3", "1")]
        assert two[1] == "3"
        assert two[3] == ["beats the champion in NDCG@10"]
    assert champion(uri, name) == "3"


def test_of_many_at_once_none_is_lost(uri: str, name: str, runs: dict[str, str], start: Started, context: Any) -> None:
    n = 3
    for _ in range(n):
        add_version(uri, name, runs["0.4"])
    met = context.Barrier(n)
    saids = [start(racing.promote, uri, name, str(v + 1), "fire", met) for v in range(n)]
    found = {version: before for version, before, promoted, _ in map(heard, saids) if promoted}
    moves = history(uri, name)
    assert [entry.number for entry in moves] == list(range(1, n + 1))
    assert sorted(entry.version for entry in moves) == sorted(found)
    assert [entry.before for entry in moves] == ["", *(entry.version for entry in moves[:-1])]
    assert {entry.version: entry.before for entry in moves} == found
    assert champion(uri, name) == moves[-1].version
    assert tickets(uri, name) == []
    for entry in reversed(moves[:-1]):
        assert rollback(uri, name).version == entry.version


def test_a_killed_holder_is_passed_by_all_who_wait(uri: str, name: str, runs: dict[str, str], start: Started) -> None:
    for _ in range(2):
        add_version(uri, name, runs["0.4"])
    os.kill(heard(start(racing.hold, uri, name)), signal.SIGKILL)
    assert len(tickets(uri, name)) == 1
    saids = [start(racing.promote_after, uri, name, str(v), 1.0) for v in (1, 2)]
    found = [heard(said) for said in saids]
    moves = history(uri, name)
    assert [entry.before for entry in moves] == ["", *(entry.version for entry in moves[:-1])]
    assert {entry.version: entry.before for entry in moves} == {version: before for version, before, _ in found}
    assert champion(uri, name) == moves[-1].version
    assert tickets(uri, name) == []


def test_who_waits_too_long_is_told_for_whom(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = MlflowClient(uri, uri)
    monkeypatch.setattr(turns, "WAIT_S", 0.3)
    with promotion_lock(client, name, "anna@till"):
        told = (
            f"waited 0 s for a turn to move the champion of {name}; it is held by anna@till, process {os.getpid()}, 20"
        )
        with pytest.raises(TimeoutError, match=told), promotion_lock(client, name, "bert@till"):
            pass
        assert len(tickets(uri, name)) == 1, "who gives up leaves the queue"
    assert tickets(uri, name) == []


def test_the_living_are_not_taken_for_dead(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who waits for longer than it takes to be thought dead says that he is there."""
    monkeypatch.setattr(turns, "SILENT_S", 1.0)
    client, order = MlflowClient(uri, uri), []

    def wait() -> None:
        with promotion_lock(client, name, "bert@till"):
            order.append("bert")

    with promotion_lock(client, name, "anna@till") as still_mine:
        bert = threading.Thread(target=wait)
        bert.start()
        for _ in range(16):
            time.sleep(0.1)
            still_mine()
        assert len(tickets(uri, name)) == 2
        order.append("anna")
    bert.join()
    assert order == ["anna", "bert"]


def test_who_stood_still_learns_it_before_anything_is_written(
    uri: str, name: str, runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SILENT_S", 0.2)
    client = MlflowClient(uri, uri)
    add_version(uri, name, runs["0.3"])
    with promotion_lock(client, name, "anna@till") as still_mine:
        time.sleep(0.3)
        assert promote(uri, name, 1, racing.GATE).promoted
        with pytest.raises(TimeoutError, match="stood still for more than 0 s and lost its turn"):
            still_mine()


def test_turns_of_different_models_do_not_meet(uri: str, name: str) -> None:
    client = MlflowClient(uri, uri)
    with promotion_lock(client, name, "anna@till"), promotion_lock(client, f"{name}-other", "anna@till"):
        assert (len(tickets(uri, name)), len(tickets(uri, f"{name}-other"))) == (1, 1)


def test_a_store_that_breaks_down_is_not_hidden(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise MlflowException("disk full")

    client = MlflowClient(uri, uri)
    monkeypatch.setattr(client, "create_registered_model", broken)
    with pytest.raises(MlflowException, match="disk full"), promotion_lock(client, name, "anna@till"):
        pass
