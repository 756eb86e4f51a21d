"""The server as users meet it: started by the script, on SQLite and files, on PostgreSQL, and with files in S3."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from omniretail import tracking
from omniretail.schema import Tables
from omniretail.serving.webhook import verified
from tests.conftest import ROOT
from tests.tracking.test_runs import one_run

PASSWORD = "correct-horse-battery"
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)

needs_auth = pytest.mark.skipif(find_spec("flask_wtf") is None, reason="pip install 'omniretail[server]'")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(folder: Path, **variables: str) -> Iterator[str]:
    """The server's address; its data are in ``folder``, and its messages in ``folder/log``."""
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "AWS_"))}
    mine = {"MLFLOW_PORT": str(port), "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD, "TMPDIR": str(folder)}
    with (folder / "log").open("w") as log:
        words = [sys.executable, str(ROOT / "scripts" / "server.py")]
        server = subprocess.Popen(
            words, cwd=folder, env=environment | mine | variables, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert server.stdout is not None
        message = ""
        for line in server.stdout:
            message += line
            if "MLFLOW_TRACKING_PASSWORD" in line:
                break
        else:
            pytest.fail(f"it did not start: {message}{(folder / 'log').read_text()[-3000:]}")
        reading = threading.Thread(target=server.stdout.read)  # or the pipe fills and the server waits
        reading.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            assert server.wait(60) == 0, "asked to stop, it stops in good order"
            reading.join()
            server.stdout.close()
        assert not list(folder.glob("omniretail-server-*")), "its private folder is gone"


@pytest.fixture(autouse=True)
def _a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log_in(monkeypatch, "admin", PASSWORD)


def log_in(monkeypatch: pytest.MonkeyPatch, name: str, password: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)


def records_runs_and_models(uri: str, shop: Tables) -> str:
    """A run with metrics and files, read back, and a version with an alias; the run's id."""
    recorded = one_run(shop, uri=uri)
    assert recorded.uri == uri
    client = MlflowClient(uri)
    assert client.get_run(recorded.run_id).data.metrics["test/ndcg_at_10"] == pytest.approx(0.3)
    assert tracking.load_result(uri, recorded.run_id, "test").per_unit.index.tolist() == ["a", "b", "茶"]
    client.log_batch(recorded.run_id, metrics=[Metric("curve", n / 2, timestamp=n, step=n) for n in range(3)])
    assert [point.value for point in client.get_metric_history(recorded.run_id, "curve")] == [0, 0.5, 1]
    client.create_registered_model("groceries")
    version = client.create_model_version("groceries", f"runs:/{recorded.run_id}/results", recorded.run_id).version
    client.set_registered_model_alias("groceries", "champion", version)
    assert client.get_model_version_by_alias("groceries", "champion").run_id == recorded.run_id
    return recorded.run_id


def refused(uri: str, shop: Tables) -> str:
    with pytest.raises(PermissionError) as caught:
        one_run(shop, uri=uri)
    return str(caught.value)


@pytest.mark.slow
@needs_auth
@pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi")  # mlflow's client of users brings its server along
def test_on_sqlite_and_files(tmp_path: Path, shop: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    before = one_run(shop)  # locally, before there was a server
    with running(tmp_path) as uri:
        run_id = records_runs_and_models(uri, shop)
        assert MlflowClient(uri).get_run(before.run_id).data.params == {"model.l2": "3"}
        an_account_by_itself_opens_nothing(uri, run_id, shop, monkeypatch)
        log_in(monkeypatch, "admin", "not-the-password")
        assert "does not accept this name and password (user 'admin')" in refused(uri, shop)
        monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
        monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
        assert "requires a name and a password" in refused(uri, shop)
    assert (tmp_path / "basic_auth.db").stat().st_mode & 0o777 == 0o600
    the_password_changes(tmp_path, monkeypatch)


def an_account_by_itself_opens_nothing(uri: str, run_id: str, shop: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the admin grants: here to add runs to one experiment."""
    from mlflow.server.auth.client import AuthServiceClient

    admin = AuthServiceClient(uri)
    admin.create_user("anna", "also-a-good-password")
    log_in(monkeypatch, "anna", "also-a-good-password")
    with pytest.raises(MlflowException, match="Permission denied"):
        MlflowClient(uri).get_run(run_id)
    assert "does not let 'anna' do this" in refused(uri, shop)
    log_in(monkeypatch, "admin", PASSWORD)
    experiment = MlflowClient(uri).get_run(run_id).info.experiment_id
    admin.grant_user_permission("anna", "experiment", experiment, "EDIT")
    admin.grant_user_permission("anna", "registered_model", "groceries", "READ")
    log_in(monkeypatch, "anna", "also-a-good-password")
    assert one_run(shop, uri=uri).uri == uri
    assert tracking.children(uri, run_id) == [run_id]
    assert MlflowClient(uri).get_model_version_by_alias("groceries", "champion").run_id == run_id
    with pytest.raises(MlflowException, match="Permission denied"):
        MlflowClient(uri).delete_registered_model_alias("groceries", "champion")


def the_password_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set by the script, it is the one that the server started next goes by."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    words = [sys.executable, str(ROOT / "scripts" / "server.py")]
    changed = environment | {"MLFLOW_AUTH_ADMIN_PASSWORD": "a-better-password"}
    started = subprocess.run(words, cwd=folder, env=changed, capture_output=True, text=True)
    assert started.stderr.startswith("error: 'admin' has another password in basic_auth.db")
    subprocess.run([*words, "action=set_password"], cwd=folder, env=changed, check=True)
    with running(folder, MLFLOW_AUTH_ADMIN_PASSWORD="a-better-password") as uri:
        log_in(monkeypatch, "admin", "a-better-password")
        assert [model.name for model in MlflowClient(uri).search_registered_models()] == ["groceries"]


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a PostgreSQL of our own, empty, run by a user who is not root."""
    if POSTGRES is None:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql; apt-get install postgresql")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp")), str(free_port())  # short, for the socket
    folder.chmod(0o755)
    if as_user:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")

    def postgres(name: str, *words: str) -> None:
        subprocess.run([*as_user, str(POSTGRES.with_name(name)), *words], cwd=folder, check=True, capture_output=True)

    password = folder / "password"
    password.write_text("s3cret%word")
    password.chmod(0o644)
    postgres("initdb", "-D", data, "-U", "team", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    postgres("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-t", "120", "-o", options, "start")
    yield f"postgresql://team:s3cret%25word@127.0.0.1:{port}/postgres"
    postgres("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.mark.postgres
@needs_auth
@pytest.mark.skipif(find_spec("psycopg") is None, reason="pip install 'omniretail[server]'")
def test_on_postgresql(tmp_path: Path, shop: Tables, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, MLFLOW_BACKEND_STORE_URI=database, MLFLOW_WORKERS="2") as uri:
        run_id = records_runs_and_models(uri, shop)
        log_in(monkeypatch, "admin", "not-the-password")
        assert "does not accept this name and password" in refused(uri, shop)
    assert not list(tmp_path.glob("*.db")), "users are in PostgreSQL as well"
    assert MlflowClient(database).get_run(run_id).info.status == "FINISHED"
    message = (tmp_path / "log").read_text()
    assert "s3cret" not in message


def bucket_client(given: dict[str, str]):
    boto3 = pytest.importorskip("boto3", reason="pip install 'omniretail[server]'")
    keys = {"aws_access_key_id": given["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": given["AWS_SECRET_ACCESS_KEY"]}
    return boto3.client("s3", endpoint_url=given["MLFLOW_S3_ENDPOINT_URL"], region_name="us-east-1", **keys)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The settings for an S3-type store on this machine, with one bucket."""
    server = pytest.importorskip("moto.server", reason="pip install 'moto[s3]'").ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    given = {"MLFLOW_S3_ENDPOINT_URL": f"http://{host}:{port}", **keys}
    bucket_client(given).create_bucket(Bucket="models")
    yield given
    server.stop()


@pytest.mark.slow
@needs_auth
def test_with_files_in_s3(tmp_path: Path, shop: Tables, store: dict[str, str]) -> None:
    with running(tmp_path, MLFLOW_ARTIFACTS_DESTINATION="s3://models/team", **store) as uri:
        run_id = records_runs_and_models(uri, shop)  # this process knows no key: files go by the server
    keys = [entry["Key"] for entry in bucket_client(store).list_objects_v2(Bucket="models")["Contents"]]
    assert [key for key in keys if key.startswith("team/") and key.endswith(f"{run_id}/artifacts/config.yaml")]
    assert not (tmp_path / "mlartifacts").exists()


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it receives, once the signature is checked."""

    received: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(verified(body, dict(self.headers), "s3cret"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.slow
@needs_auth
def test_a_receiver_is_told_of_a_new_champion(tmp_path: Path, shop: Tables) -> None:
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    local = {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    with (
        running(tmp_path, MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=key, **local) as uri,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
        patch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
        client = MlflowClient(uri, uri)
        address = f"http://127.0.0.1:{receiver.server_port}/champion"
        client.create_webhook("champion", address, ["model_version_alias.created"], secret="s3cret")
        records_runs_and_models(uri, shop)
        end = time.monotonic() + 30
        while not Receiver.received and time.monotonic() < end:
            time.sleep(0.1)
    receiver.shutdown()
    receiver.server_close()
    (message,) = Receiver.received
    assert message["data"] == {"name": "groceries", "alias": "champion", "version": "1"}
