"""A server that refuses name or password is not one that is down."""

import http.server
import json
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from mlflow import MlflowClient
from omegaconf import OmegaConf

from omniretail import tracking
from omniretail.commands import compare, push
from omniretail.schema import Tables
from omniretail.sweep import SweepReport
from tests.tracking.test_runs import one_run


class Door(http.server.BaseHTTPRequestHandler):
    """Says no, as MLflow's server does; opens the first ``friendly`` times."""

    status, body, friendly = 401, "You are not authenticated.", 0

    def do_GET(self) -> None:
        self.answer({"experiment": {"experiment_id": "1", "name": "shop"}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"run": {"info": {"run_id": "0", "experiment_id": "1", "status": "RUNNING"}, "data": {}}})

    def answer(self, friendly: dict) -> None:
        Door.friendly -= 1
        self.send_response(200 if Door.friendly >= 0 else self.status)
        self.end_headers()
        self.wfile.write(json.dumps(friendly).encode() if Door.friendly >= 0 else self.body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    monkeypatch.setattr(Door, "friendly", 0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_wrong_password_stops_a_run_before_it_begins(shop: Tables, door: str) -> None:
    with pytest.raises(
        PermissionError, match=r"does not accept this name and password \(user 'anna'\); correct MLFLOW_TR"
    ):
        one_run(shop, uri=door)
    assert not Path("mlflow.db").exists(), "nothing is recorded elsewhere without the user's knowledge"


def test_no_name_at_all(shop: Tables, door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    with pytest.raises(PermissionError, match="requires a name and a password; set MLFLOW_TRACKING_USERNAME and"):
        one_run(shop, uri=door)


def test_a_right_that_is_missing(shop: Tables, door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Door, "status", 403)
    monkeypatch.setattr(Door, "body", "Permission denied")
    with pytest.raises(PermissionError, match="does not let 'anna' do this; its admin can grant"):
        one_run(shop, uri=door)


def test_a_password_changed_during_the_run_loses_nothing(
    shop: Tables, door: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Door, "friendly", 3)  # find the experiment, open the run, log its settings
    recorded = one_run(shop, uri=door)
    assert MlflowClient(tracking.LOCAL).get_run(recorded.run_id).info.status == "FINISHED"
    assert "does not accept this name and password" in caplog.text
    assert "is down" not in caplog.text
    assert f"python scripts/push.py run_id={recorded.run_id} to={door}" in caplog.text


def test_reading_and_pushing_name_it_too(shop: Tables, door: str) -> None:
    with pytest.raises(PermissionError, match="does not accept this name"):
        tracking.children(door, "0")
    with pytest.raises(PermissionError, match="does not accept this name"):
        tracking.load_result(door, "0", "test")
    recorded = one_run(shop)
    with pytest.raises(PermissionError, match="does not accept this name"):
        tracking.push(recorded.run_id, tracking.LOCAL, door)


def test_a_sweep_ends_before_its_first_job(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omniretail.sweep.check_jobs", lambda config: None)
    hydra = {"runtime": {"config_sources": []}, "overrides": {"task": []}}
    tracked = {"uri": door, "experiment": "shop"}
    config = OmegaConf.create({"hydra": hydra, "evaluate": ["test"], "tracking": tracked})
    with pytest.raises(SystemExit, match=r"error: the tracking server .* does not accept this name and password"):
        SweepReport().on_multirun_start(config)


@pytest.mark.parametrize(
    ("command", "words"), [(compare, ["compare.py", "{}"]), (push, ["push.py", "run_id={}"])], ids=["compare", "push"]
)
def test_commands_end_with_one_sentence(
    shop: Tables, door: str, monkeypatch: pytest.MonkeyPatch, command: ModuleType, words: list[str]
) -> None:
    recorded = one_run(shop)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", door)
    monkeypatch.setattr(sys, "argv", [word.format(recorded.run_id) for word in words])
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert str(caught.value).startswith(f"error: the tracking server {door} does not accept this name and password")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["abc", "--to", "http://x"], "settings are written name=value: python scripts/push.py run_id=abc to=http://…"),
        (["run_id=abc"], "name the run and the server: run_id=<id> to=http://…"),
        (["to=http://x"], "name the run and the server: run_id=<id> to=http://…"),
        (["run_id=123e45", "to=http://x"], "there is no run 123e45 in sqlite:///mlflow.db"),
    ],
)
def test_a_mistaken_push_is_one_sentence(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(sys, "argv", ["push.py", *words])
    with pytest.raises(SystemExit, match=re.escape(f"error: {message}")):
        push.main()
