"""Starting MLflow's server with passwords on, and how to use it."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from omniretail.tracking.server.settings import ServerError, Settings

HOST = "127.0.0.1"

# users have access to what they made; an admin grants anything else, since runs hold values per customer
_DEFAULT_PERMISSION = "NO_PERMISSIONS"


def command(settings: Settings) -> list[str]:
    """The command that starts MLflow; addresses with passwords are in the environment, which ``ps`` does not show."""
    where = ["--host", HOST, "--port", str(settings.port), "--workers", str(settings.workers)]
    return [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--serve-artifacts", *where]


def environment(settings: Settings, config: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The server's environment: the inherited one without settings that weaken its security, and our own."""
    weakening = ("MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", "MLFLOW_BASIC_AUTH_FAIL_CLOSED", "MLFLOW_GUNICORN_OPTS")
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {
        **quiet,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(32),
        **{name: value for name, value in inherited.items() if name not in weakening},
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_AUTH_ADMIN_USERNAME": settings.username,
        "MLFLOW_AUTH_ADMIN_PASSWORD": settings.password,
        "MLFLOW_BACKEND_STORE_URI": settings.backend,
        "MLFLOW_ARTIFACTS_DESTINATION": settings.artifacts,
    }


def write_config(settings: Settings, path: Path) -> None:
    """Write MLflow's settings of users, readable by the owner alone: a database's address may hold its password."""
    lines = ["[mlflow]", f"default_permission = {_DEFAULT_PERMISSION}"]
    lines += [f"database_uri = {settings.users.replace('%', '%%')}"]  # configparser reads % as its own
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def announcement(settings: Settings) -> str:
    """How to use the server."""
    address = f"http://{HOST}:{settings.port}"
    return (
        f"\nMLflow answers at {address} (log in as '{settings.username}'); Ctrl-C stops it.\n"
        f"Runs and models: {settings.url.render_as_string(hide_password=True)}, files: {settings.artifacts}\n"
        "Send runs to it from another terminal:\n"
        f"  export MLFLOW_TRACKING_URI={address}\n"
        f"  export MLFLOW_TRACKING_USERNAME={settings.username}\n"
        "  export MLFLOW_TRACKING_PASSWORD=<the password in MLFLOW_AUTH_ADMIN_PASSWORD>\n"
    )


def serve(settings: Settings, say: Callable[[str], None]) -> int:
    """Run the server until it is stopped; its exit status is returned, 0 after Ctrl-C or SIGTERM.

    Args:
        settings: checked.
        say: called with the announcement, once the server answers.

    Raises:
        ServerError: where MLflow ends before it answers.
    """
    with tempfile.TemporaryDirectory(prefix="omniretail-server-") as private:
        config = Path(private) / "auth.ini"
        write_config(settings, config)
        process = subprocess.Popen(command(settings), env=environment(settings, config, os.environ))
        stopped: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda got, _: (stopped.append(got), process.terminate()))
        while process.poll() is None and not stopped and not _answers(settings.port):
            time.sleep(0.2)
        if process.poll() is not None and not stopped:
            raise ServerError(f"MLflow ended with status {process.returncode}; its messages above say why")
        if not stopped:
            say(announcement(settings))
        status = process.wait()
        return 0 if stopped else status


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
