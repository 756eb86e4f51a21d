"""Opening a tracking store: what cannot be used is refused in one sentence, before and while a server is asked."""

import http.server
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.core.errors import SettingsError
from omniretail.tracking.sqlite_file import made_database
from tests.tracking.conftest import local

pytestmark = pytest.mark.usefixtures("own_folder")


class Website(http.server.BaseHTTPRequestHandler):
    """Answers every request with the same page."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def website() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Website)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def other_protocol() -> Iterator[str]:
    """A server that greets as SSH does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()

        def greet() -> None:
            while not stopped.is_set():
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        port = server.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        stopped.set()
        socket.create_connection(("127.0.0.1", port)).close()
        greeting.join()


def refused(uri: str, experiment: str = "shop") -> str:
    with pytest.raises(SettingsError) as caught, tracking.tracked(uri, experiment, "x", {}):
        pass
    return str(caught.value)


@pytest.mark.parametrize("status", [200, 302, 404])
def test_a_website_is_no_tracking_server(website: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Website, "status", status)
    message = refused(website)
    assert f"{website} is no MLflow tracking server: something else answers there, with {status}" in message
    assert "down" not in message
    assert not Path("mlflow.db").exists(), "nothing is recorded elsewhere"
    with pytest.raises(SettingsError, match="is no MLflow tracking server"):
        tracking.children(website, "0")
    with pytest.raises(SettingsError, match="is no MLflow tracking server"):
        tracking.load_result(website, "0", "test")


def test_a_server_of_another_protocol(other_protocol: str) -> None:
    assert "something else answers there, in another protocol" in refused(other_protocol)


def test_a_server_without_tls(website: str) -> None:
    assert refused(website.replace("http", "https")).endswith(f"does not speak TLS; write {website}")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://", "http:// is no address of a server; write http://host:5000"),
        ("http://127.0.0.1:99999", "is no address of a server"),
        ("http://a host", "is no address of a server"),
        ("http://anna:s3/cret@127.0.0.1:9", "the credentials in http://***@127.0.0.1:9 hold characters"),
        ("htp://x", "htp://x is no address of a tracking store; write sqlite:///mlflow.db"),
        ("./mlruns", "mlflow migrate-filestore --source ./mlruns --target sqlite:///mlflow.db"),
        ("file:///data/mlruns", "mlflow migrate-filestore --source /data/mlruns --target"),
        ("mysql://anna:s3cret@127.0.0.1:9/runs", "needs MySQLdb, which is not installed: pip install"),
        ("http://***@somewhere-else", "the credentials in http://***@somewhere-else are not known here"),
        ("sqlite:////proc/nowhere/mlflow.db", "cannot be made"),
    ],
)
def test_an_address_that_is_none(uri: str, message: str) -> None:
    refusal = refused(uri)
    assert message in refusal
    assert "cret" not in refusal
    assert not Path("mlflow.db").exists()
    with pytest.raises(SettingsError):
        tracking.check_store(uri, "shop")


@pytest.mark.parametrize("name", ["", " ", None])
def test_an_experiment_without_a_name(name: str) -> None:
    with pytest.raises(SettingsError, match=r"experiment is empty; name the experiment: tracking\.experiment=<name>"):
        tracking.check_store(tracking.LOCAL, name)
    assert not Path("mlflow.db").exists()


def test_experiments(tmp_path: Path) -> None:
    with tracking.tracked(local(), 2024, "x", {}) as run:  # pyright: ignore[reportArgumentType] - as YAML reads it
        pass
    client = MlflowClient(local())
    experiment = client.get_experiment_by_name("2024")
    assert experiment is not None
    assert client.get_run(run.run_id).info.experiment_id == experiment.experiment_id
    client.delete_experiment(experiment.experiment_id)
    message = refused(local(), "2024")
    assert f"the experiment 2024 in {local()} is deleted; restore it with:" in message
    assert f"experiments restore --experiment-id {experiment.experiment_id}" in message
    assert "tracking.experiment=" in refused(local(), "x" * 600)


def test_a_broken_database() -> None:
    Path("mlflow.db").write_text("garbage")
    assert f"{Path.cwd()}/mlflow.db is no SQLite database that can be read" in refused(local())
    assert f"mv {Path.cwd()}/mlflow.db {Path.cwd()}/mlflow.db.broken" in refused(local())
    Path("mlflow.db").unlink()
    with closing(sqlite3.connect("mlflow.db")) as database:
        database.execute("CREATE TABLE experiments (id)")
    assert "left unfinished by a process that was killed" in refused(local())
    Path("mlflow.db").unlink()
    Path("mlflow.db").mkdir()
    assert f"{Path.cwd()}/mlflow.db is no SQLite database that can be read" in refused(local())


def test_a_database_of_another_version() -> None:
    with made_database(Path("mlflow.db")):
        pass
    with closing(sqlite3.connect("mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'f5a4f2784254'")
        database.commit()
    assert "it was made by another version of MLflow" in refused(local())


def test_a_database_server_that_is_down_is_no_reason_to_stop(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("psycopg", reason="pip install 'omniretail[server]'")
    with tracking.tracked("postgresql://anna:s3cret@127.0.0.1:9/runs", "shop", "x", {}) as run:
        pass
    assert run.uri == tracking.LOCAL
    assert "postgresql://***@127.0.0.1:9/runs is down" in caplog.text
    assert "s3cret" not in caplog.text
