"""MLflow's pages on this machine: where the runs are, for a store that has no server of its own."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from mlflow import MlflowClient
from mlflow.entities import ViewType

from omniretail.config import command
from omniretail.core.credentials import hide, remember, reveal
from omniretail.core.errors import MissingError, SettingsError
from omniretail.tracking.recorded_runs import existing_run
from omniretail.tracking.runs import TrackedRun
from omniretail.tracking.store import LOCAL, open_store

_HOST = "127.0.0.1"
_PATIENCE_S = 120
_VIEW = "workflowType=machine_learning"
"""Without it MLflow 3 opens the pages on traces of language models."""


def run_address(base: str, experiment_id: str, run_id: str = "") -> str:
    """The address of a run's page, or of an experiment's runs.

    >>> run_address("http://127.0.0.1:5000/", "1")
    'http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning'
    """
    place = f"runs/{run_id}" if run_id else "runs"
    return f"{base.rstrip('/')}/#/experiments/{experiment_id}/{place}?{_VIEW}"


def ui_command(run: TrackedRun) -> str:
    """The address of a run on its server; where its store has none, the command that opens it."""
    if run.uri.startswith("http"):
        return run_address(hide(run.uri), run.client.get_run(run.run_id).info.experiment_id, run.run_id)
    store = "" if run.uri == LOCAL else f" --uri={shlex.quote(run.uri)}"
    return f"{command('python')} -m omniretail ui {run.run_id}{store}"


def serve(uri: str, run_id: str = "", port: int = 0) -> None:
    """Print the address of a run or of the latest one's experiment, and serve it until Ctrl-C; a server is named alone.

    Args:
        uri: of the tracking store.
        run_id: whose page is named; empty: the experiment of the latest run.
        port: on this machine; 0: a free one.

    Raises:
        MissingError: where there is no such run, or no run at all.
        SettingsError: where the store cannot be used, the port is taken, or MLflow does not start.
    """
    uri = remember(uri)
    client = open_store(uri)
    experiment_id = existing_run(uri, run_id).info.experiment_id if run_id else _latest_experiment(client, uri)
    if uri.startswith("http"):
        print(run_address(uri, experiment_id, run_id))
        return
    port = _checked(port)
    with tempfile.TemporaryFile("w+") as messages:
        environment = os.environ | _environment(uri)
        process = subprocess.Popen(_command(port), env=environment, stdout=subprocess.DEVNULL, stderr=messages)
        stopped: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda got, _: (stopped.append(got), process.terminate()))
        if _answers(process, port):
            print(f"{run_address(f'http://{_HOST}:{port}', experiment_id, run_id)}\nCtrl-C stops it.", flush=True)
            process.wait()
        process.terminate()
        process.wait()
        if not stopped:
            messages.seek(0)
            last = hide(next(iter(messages.read().strip().splitlines()[::-1]), "it gives no reason"))
            raise SettingsError(f"MLflow's pages have ended: {last}")


def _latest_experiment(client: MlflowClient, uri: str) -> str:
    experiments = [each.experiment_id for each in client.search_experiments(view_type=ViewType.ACTIVE_ONLY)]
    runs = client.search_runs(experiments, order_by=["attributes.start_time DESC"], max_results=1)
    if not runs:
        raise MissingError(
            f"{hide(uri)} holds no runs; make one: python scripts/train.py, or name another store: --uri=<address>"
        )
    return runs[0].info.experiment_id


def _command(port: int) -> list[str]:
    return [sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port), "--workers", "1"]


def _environment(uri: str) -> dict[str, str]:
    """The store in the environment, which other users of the machine cannot list."""
    return {
        "MLFLOW_BACKEND_STORE_URI": reveal(uri),
        "MLFLOW_REGISTRY_STORE_URI": reveal(uri),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def _checked(port: int) -> int:
    """A port that is free.

    Raises:
        SettingsError: where the wanted one is taken.
    """
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            free.bind((_HOST, port))
        except (OSError, OverflowError):
            raise SettingsError(f"--port={port} cannot be used; leave it out, and a free one is taken") from None
        return int(free.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until MLflow answers; False where it ends, or does not answer in time."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{_HOST}:{port}/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.2)
    return False
