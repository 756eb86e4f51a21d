"""A served model over real HTTP, by the command that the docs give: what clients get right and what they get wrong."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.registry.conftest import Registered

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def address(registered: Registered) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"MLFLOW_TRACKING_URI": registered.uri, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [BIN / "mlflow", "models", "serve", "-m", "models:/shop/1", "--env-manager", "local", "-p", str(port)]
    with (registered.folder / "serve.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=registered.folder)
        try:
            _wait(f"http://127.0.0.1:{port}/ping", server)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            subprocess.run(["pkill", "-P", str(server.pid)], check=False)
            server.terminate()
            server.wait(20)


def _wait(address: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def post(address: str, body: str, kind: str = "application/json") -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(address, body.encode(), {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def records(*rows: dict[str, Any]) -> str:
    return json.dumps({"dataframe_records": rows})


def test_rows_of_every_kind_are_answered(address: str) -> None:
    status, answers = post(address, records({"user_id": "1", "k": 3}, {"history": ["3", "5"]}, {"k": 2}))
    assert status == 200
    first, second, third = answers["predictions"]
    assert len(first["item_ids"]) == 3
    assert first["model_version"] == "shop/1"
    assert first["fallback"] is second["fallback"] is None
    assert third["fallback"] == "popular"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{not json", "JSON"),
        ("[]", "list"),
        ('{"rows": []}', "dataframe_records"),
        (records({"user_id": 7}), "user_id: 7 is of the wrong type"),
        (records({"user_id": "1", "k": 0}), "k: a whole number from 1"),
        (records({"history": [3]}), "history: 3 is of the wrong type"),
        (records({"history": {"item_id": 1}}), "history: a list is expected"),
        (records({"history": [{"item_id": "1", "when": 3}]}), "history: an event has no 'when'"),
        (records({"user_id": "1", "store_id": "s1"}), "store_id: 's1' is not known"),
        (records({"user_id": "1", "filters": {"colour": "red"}}), "filters: items have no attribute 'colour'"),
        (records({"usr_id": 1}), "usr_id: there is no such field; did you mean user_id?"),
        (records({}), "names none of the fields user_id"),
        (records({"user_id": 10**400}), "user_id: 1000"),
        (records({"user_id": "1", "k": 10**30}), "k: a whole number from 1"),
        (records({"user_id": "1", "k": 2**63}), "k: a whole number from 1"),
        (records({"user_id": "1", "k": 1e300}), "k: a whole number from 1"),
        (records({"history": [{"item_id": "3", "timestamp": 10**30}]}), "history: timestamp: a time is ISO 8601"),
        (records({"history": [{"item_id": "3", "value": 10**400}]}), "history: value: a number is expected"),
        (records({"history": [{"item_id": "3", "quantity": 1e300}]}), "history: quantity: a number is expected"),
        (records({"user_id": "1", "exclude": [10**30]}), "exclude: 1000"),
    ],
)
def test_what_is_wrong_is_http_400_with_the_fields_name_and_the_server_goes_on(
    address: str, body: str, named: str
) -> None:
    status, answers = post(address, body)
    assert status == 400
    assert named in answers["message"]
    assert "stack_trace" not in answers
    assert post(address, records({"user_id": "1"}))[0] == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("user_id,k\na,0", "k: a whole number from 1"),
        ("usr_id\na", "usr_id: there is no such field"),
        ("user_id,history\na,[3]", "history: a list is expected"),
        ("user_id\n1", "user_id: 1 is of the wrong type"),
        ('user_id\n"a', "valid CSV"),
        ("user_id\na\nb,c,d", "valid CSV"),
        ("", "valid CSV"),
    ],
)
def test_csv_is_answered_or_refused_by_the_fields_name(address: str, body: str, named: str) -> None:
    status, answers = post(address, body, "text/csv")
    assert status == 400
    assert named in answers["message"]
    assert "stack_trace" not in answers
    status, answers = post(address, "k,channel\n3,\n2,", "text/csv")
    assert status == 200
    assert [len(each["item_ids"]) for each in answers["predictions"]] == [3, 2]


def test_an_empty_and_a_very_long_history_are_answered(address: str) -> None:
    status, answers = post(address, records({"history": []}, {"history": ["3"] * 10_000}))
    assert status == 200
    assert [each["fallback"] for each in answers["predictions"]] == ["popular", None]


def test_twenty_clients_at_once_all_get_their_own_answer(address: str) -> None:
    alone = {user: post(address, records({"user_id": str(user), "k": 2})) for user in range(5)}
    with ThreadPoolExecutor(20) as clients:
        users = [user % 5 for user in range(100)]
        together = list(clients.map(lambda user: post(address, records({"user_id": str(user), "k": 2})), users))
    assert together == [alone[user] for user in users]
