"""Serving recommenders in process and over HTTP: cold load, latency, requests per second."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.arguments import fold_of, names, parser, seconds, timed
from omniretail.config import compose, make
from omniretail.policies.protocol import fitted
from omniretail.registry.mlflow_model import write_mlflow_model
from omniretail.registry.smoke_test import serve_in_fresh_process
from omniretail.serving.bundle import write_recommender
from omniretail.serving.pyfunc import load_service
from omniretail.views.fold import Fold

_SHORT = ("trainer.max_epochs=1", "trainer.checkpoints=null")  # a network that is trained longer is as fast
_BATCH = 22_363


def main(arguments: list[str]) -> None:
    """Fit and save each model, load it in a fresh process, send requests, print."""
    options = parser("serving", __doc__, "source=beauty")
    options.add_argument(
        "--models", type=names, default="ease,ials,lightgcn,sasrec", help="files of configs/model/recommender"
    )
    options.add_argument("--clients", type=int, default=20, help="at once, over HTTP")
    options.add_argument("--requests", type=int, default=5000, help="over HTTP; a fifth of them in process")
    chosen = options.parse_intermixed_args(arguments)
    with fold_of(chosen.settings) as fold:
        n_users, n_items = len(fold.train.users), len(fold.train.items)
        print(f"{' '.join(chosen.settings)}: {n_users:,} users, {n_items:,} items, k = 10")
        ids = np.random.default_rng(0).choice(fold.train.users.ids.to_numpy(), chosen.requests).tolist()
        for name in chosen.models:
            with tempfile.TemporaryDirectory() as folder:
                bundle = _saved(fold, chosen.settings, name, Path(folder) / "model")
                _measure(name, bundle, fold, ids, chosen.clients)


def _measure(name: str, bundle: Path, fold: Fold, ids: list, n_clients: int) -> None:
    single = ids[: max(2, len(ids) // 5)]
    requests = pd.DataFrame([{"user_id": user, "k": 10} for user in single], dtype=object)
    served = serve_in_fresh_process(bundle, requests)
    print(
        f"{name}: cold load {served.load_s:.1f} s, {served.memory_mb:,.0f} MiB; one user p50 "
        f"{served.latency_p50_ms:.2f} ms, p99 {served.latency_p99_ms:.2f} ms; "
        f"in batches {_users_per_second(bundle, fold):,.0f} users a second"
    )
    model = write_mlflow_model(bundle.parent / "mlflow", bundle, requests.head(2), served, "")
    with _server(model) as port:
        answers, spent = timed(lambda: _answers(port, ids, n_clients))
    milliseconds, failed = (np.array(part) for part in zip(*answers, strict=True))
    p50, p99 = np.quantile(milliseconds, [0.5, 0.99])
    print(
        f"{name} over HTTP, {n_clients} clients, {len(ids):,} requests: p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"{len(ids) / spent:,.0f} a second, {failed.sum()} errors",
        flush=True,
    )


def _saved(fold: Fold, settings: Sequence[str], name: str, folder: Path) -> Path:
    cfg = compose(*settings, f"model=recommender/{name}", *_SHORT)
    model = make(cfg.model).fit(fold.train)
    write_recommender(folder, model, fitted([make(cfg.policy)], fold.train)[0], fold.train)
    return folder


def _users_per_second(bundle: Path, fold: Fold) -> float:
    """In batches; the better of two tries."""
    service, users = load_service(bundle), pd.DataFrame({"user_id": fold.train.users.ids[:_BATCH]})
    return len(users) / min(seconds(lambda: service.predict(users)) for _ in range(2))


@contextmanager
def _server(model: Path) -> Iterator[int]:
    """``mlflow models serve`` on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    tools = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = ["mlflow", "models", "serve", "-m", str(model), "--env-manager", "local", "-p", str(port)]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        while server.poll() is None and not _is_up(port):
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server's own processes too
        server.wait(20)


def _is_up(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
    except OSError:
        return False


def _answers(port: int, ids: list, n_clients: int) -> list[tuple[float, bool]]:
    """Milliseconds of each request, and whether it failed."""
    with ThreadPoolExecutor(n_clients) as pool:
        parts = pool.map(lambda client: _client(port, ids[client::n_clients]), range(n_clients))
        return [answer for part in parts for answer in part]


def _client(port: int, ids: list) -> list[tuple[float, bool]]:
    answers = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for user in ids:
            body = json.dumps({"dataframe_records": [{"user_id": user, "k": 10}]})
            start = time.perf_counter()
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            answers.append((1000 * (time.perf_counter() - start), answer.status != 200))
    return answers
