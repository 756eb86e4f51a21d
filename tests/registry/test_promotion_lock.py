"""Several processes at one registry: no change is lost, the lock is acquired in order, and the dead do not block it."""

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

from omniretail.registry import promotion_lock as module
from omniretail.registry.promotion import history, promote, rollback
from omniretail.registry.promotion_lock import promotion_lock
from omniretail.serving.lookup import LOCK
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


def received(answer: Connection) -> Any:
    assert answer.poll(90), "the process sent nothing"
    content = answer.recv()
    answer.close()
    return content


def places(uri: str, name: str) -> list[int]:
    return sorted(int(v.version) for v in MlflowClient(uri, uri).search_model_versions(f"name = '{name + LOCK}'"))


def test_the_second_of_two_is_compared_with_the_first(
    uri: str, name: str, runs: dict[str, str], start: Started, context: Any
) -> None:
    """Both beat the first champion; only one order lets both become champion."""
    for what in ("0.3", "0.4", "0.5"):
        add_version(uri, name, runs[what])
    promote(uri, name, 1, racing.GATE)
    met = context.Barrier(2)
    two, three = (received(s) for s in [start(racing.promote, uri, name, v, "", met) for v in ("2", "3")])
    moves = [(e.version, e.before) for e in history(uri, name)]
    assert three[2]
    if two[2]:
        assert moves == [("1", ""), ("2", "1"), ("3", "2")]
        assert three[1] == "2", "the second was compared with the outcome of the first"
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
    answers = [start(racing.promote, uri, name, str(v + 1), "fire", met) for v in range(n)]
    promoted = {version: before for version, before, done, _ in map(received, answers) if done}
    moves = history(uri, name)
    assert [entry.number for entry in moves] == list(range(1, n + 1))
    assert sorted(entry.version for entry in moves) == sorted(promoted)
    assert [entry.before for entry in moves] == ["", *(entry.version for entry in moves[:-1])]
    assert {entry.version: entry.before for entry in moves} == promoted
    assert champion(uri, name) == moves[-1].version
    assert places(uri, name) == []
    for entry in reversed(moves[:-1]):
        assert rollback(uri, name).version == entry.version


def test_a_killed_holder_is_passed_by_all_who_wait(uri: str, name: str, runs: dict[str, str], start: Started) -> None:
    for _ in range(2):
        add_version(uri, name, runs["0.4"])
    os.kill(received(start(racing.hold, uri, name)), signal.SIGKILL)
    assert len(places(uri, name)) == 1
    answers = [start(racing.promote_after, uri, name, str(v), 1.0) for v in (1, 2)]
    outcomes = [received(answer) for answer in answers]
    moves = history(uri, name)
    assert [entry.before for entry in moves] == ["", *(entry.version for entry in moves[:-1])]
    assert {entry.version: entry.before for entry in moves} == {version: before for version, before, _ in outcomes}
    assert champion(uri, name) == moves[-1].version
    assert places(uri, name) == []


def test_a_timeout_names_the_holder(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = MlflowClient(uri, uri)
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)
    with promotion_lock(client, name, "anna@till"):
        message = f"waited 0 s for the lock on promotions of {name}; it is held by anna@till, process {os.getpid()}, 20"
        with pytest.raises(TimeoutError, match=message), promotion_lock(client, name, "bert@till"):
            pass
        assert len(places(uri, name)) == 1, "a process that gives up leaves the line"
    assert places(uri, name) == []


def test_the_living_are_not_taken_for_dead(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that waits for longer than a place lasts renews its place."""
    monkeypatch.setattr(module, "EXPIRY_S", 1.0)
    client, order = MlflowClient(uri, uri), []

    def wait() -> None:
        with promotion_lock(client, name, "bert@till"):
            order.append("bert")

    with promotion_lock(client, name, "anna@till") as require_lock:
        bert = threading.Thread(target=wait)
        bert.start()
        for _ in range(16):
            time.sleep(0.1)
            require_lock()
        assert len(places(uri, name)) == 2
        order.append("anna")
    bert.join()
    assert order == ["anna", "bert"]


def test_a_suspended_process_stops_before_anything_is_written(
    uri: str, name: str, runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXPIRY_S", 0.2)
    client = MlflowClient(uri, uri)
    add_version(uri, name, runs["0.3"])
    with promotion_lock(client, name, "anna@till") as require_lock:
        time.sleep(0.3)
        assert promote(uri, name, 1, racing.GATE).promoted
        with pytest.raises(TimeoutError, match="was suspended for more than 0 s and lost the lock"):
            require_lock()


def test_locks_of_different_models_are_independent(uri: str, name: str) -> None:
    client = MlflowClient(uri, uri)
    with promotion_lock(client, name, "anna@till"), promotion_lock(client, f"{name}-other", "anna@till"):
        assert (len(places(uri, name)), len(places(uri, f"{name}-other"))) == (1, 1)


def test_a_store_that_breaks_down_is_not_hidden(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise MlflowException("disk full")

    client = MlflowClient(uri, uri)
    monkeypatch.setattr(client, "create_registered_model", broken)
    with pytest.raises(MlflowException, match="disk full"), promotion_lock(client, name, "anna@till"):
        pass
