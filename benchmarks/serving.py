"""What serving takes on Beauty's catalogue: cold load, single requests, batches, many clients over HTTP."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from hydra.utils import instantiate

from omniretail.config import compose
from omniretail.policies.protocol import fitted
from omniretail.registry.register import as_mlflow
from omniretail.registry.smoke_test import serve_in_fresh_process
from omniretail.serving.bundle import write_recommender
from omniretail.serving.pyfunc import load_service
from omniretail.views.fold import Fold

_ONE_EPOCH = ["trainer.epochs=1", "trainer.checkpoints=null"]
MODELS = {"ease": [], "ials": [], "lightgcn": _ONE_EPOCH, "sasrec": _ONE_EPOCH}
"""How well they recommend does not matter here: a network that was trained longer is as fast."""
_CLIENTS, _REQUESTS, _SINGLE, _BATCH = 20, 5000, 1000, 22_363


def serving(fold: Fold, models: list[str], source: str) -> None:
    """Print a line per model."""
    rng = np.random.default_rng(0)
    ids = rng.choice(fold.train.users.ids.to_numpy(), _REQUESTS)
    print(f"{source}: {len(fold.train.users):,} users, {len(fold.train.items):,} items, k = 10")
    for name in models:
        with tempfile.TemporaryDirectory() as folder:
            bundle = _kept(fold, name, source, Path(folder) / "model")
            asked = pd.DataFrame([{"user_id": each, "k": 10} for each in ids[:_SINGLE].tolist()], dtype=object)
            served = serve_in_fresh_process(bundle, asked)
            print(
                f"{name}: cold load {served.load_s:.1f} s, {served.memory_mb:,.0f} MiB; one user p50 "
                f"{served.latency_p50_ms:.2f} ms, p99 {served.latency_p99_ms:.2f} ms; "
                f"in batches {_batch(bundle, fold):,.0f} users a second"
            )
            model = as_mlflow(Path(folder) / "mlflow", bundle, asked.head(2), served, "", "recommender")
            with _server(model) as port:
                milliseconds, errors, seconds = _clients(port, ids.tolist())
            p50, p99 = np.quantile(milliseconds, [0.5, 0.99])
            print(
                f"{name} over HTTP, {_CLIENTS} clients, {_REQUESTS:,} requests: p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
                f"{_REQUESTS / seconds:,.0f} a second, {errors} errors"
            )


def _kept(fold: Fold, name: str, source: str, folder: Path) -> Path:
    cfg = compose(f"source={source}", f"model=recommender/{name}", *MODELS.get(name, []))
    model = instantiate(cfg.model).fit(fold.train)
    write_recommender(folder, model, fitted([instantiate(cfg.policy)], fold.train)[0], fold.train)
    return folder


def _batch(bundle: Path, fold: Fold) -> float:
    """Users a second, the better of two goes."""
    service, users = load_service(bundle), pd.DataFrame({"user_id": fold.train.users.ids[:_BATCH]})
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        service.predict(users)
        seconds.append(time.perf_counter() - start)
    return len(users) / min(seconds)


@contextmanager
def _server(model: Path) -> Iterator[int]:
    """``mlflow models serve`` on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    tools = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = ["mlflow", "models", "serve", "-m", str(model), "--env-manager", "local", "-p", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while server.poll() is None and not _answers(port):
            time.sleep(0.2)
        yield port
    finally:
        subprocess.run(["pkill", "-P", str(server.pid)], check=False)
        server.terminate()
        server.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _clients(port: int, ids: list) -> tuple[np.ndarray, int, float]:
    """Milliseconds of each request, how many were not answered well, and seconds in all."""
    shares = [ids[client::_CLIENTS] for client in range(_CLIENTS)]
    start = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        found = list(pool.map(lambda share: _client(port, share), shares))
    seconds = time.perf_counter() - start
    return np.concatenate([each for each, _ in found]), sum(errors for _, errors in found), seconds


def _client(port: int, ids: list) -> tuple[np.ndarray, int]:
    connection, milliseconds, errors = http.client.HTTPConnection("127.0.0.1", port, timeout=60), [], 0
    for each in ids:
        body = json.dumps({"dataframe_records": [{"user_id": each, "k": 10}]})
        start = time.perf_counter()
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        milliseconds.append((time.perf_counter() - start) * 1000)
        errors += answer.status != 200
    return np.array(milliseconds), errors
