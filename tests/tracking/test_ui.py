"""The command that opens MLflow's pages where the runs are."""

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from omniretail import tracking
from omniretail.core.errors import MissingError, SettingsError
from omniretail.tracking.ui import run_address, serve, ui_command
from tests.tracking.conftest import local

pytestmark = pytest.mark.usefixtures("own_folder")


def a_run(store: str) -> tracking.TrackedRun:
    with tracking.tracked(store, "shop", "x", {}) as run:
        return run


def test_the_address_of_the_latest_experiment_answers_at_a_free_port() -> None:
    run = a_run(local())
    words = [sys.executable, "-m", "omniretail", "ui"]
    process = subprocess.Popen([*words, f"--uri={local()}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    try:
        experiment = run.client.get_run(run.run_id).info.experiment_id
        assert address.endswith(f"/#/experiments/{experiment}/runs?workflowType=machine_learning"), process.stderr
        with urllib.request.urlopen(address.partition("#")[0]) as page:
            assert b"MLflow" in page.read()
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_a_servers_address_is_printed_alone(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    store = a_run(local())
    monkeypatch.setattr("omniretail.tracking.ui.open_store", lambda _: store.client)
    serve("http://mlflow.example.org:5000")
    experiment = store.client.get_run(store.run_id).info.experiment_id
    assert capsys.readouterr().out.strip() == run_address("http://mlflow.example.org:5000", experiment)


def test_what_cannot_be_opened_is_one_sentence() -> None:
    with pytest.raises(MissingError, match=r"mlflow\.db holds no runs; make one: python scripts/train\.py"):
        serve(local())
    a_run(local())
    with pytest.raises(MissingError, match="there is no run abc in sqlite"):
        serve(local(), "abc")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match=r"--port=\d+ cannot be used; leave it out"):
            serve(local(), port=taken.getsockname()[1])
    with pytest.raises(SettingsError, match="--port=99999 cannot be used"):
        serve(local(), port=99999)


def test_the_command_of_a_run_names_a_store_that_is_not_the_default() -> None:
    run = a_run(local())
    assert ui_command(run).endswith(f" -m omniretail ui {run.run_id} --uri={local()}")
    run.uri = tracking.LOCAL
    assert ui_command(run).endswith(f" -m omniretail ui {run.run_id}")
    run.uri = "http://localhost:5000"
    assert ui_command(run).startswith("http://localhost:5000/#/experiments/")
