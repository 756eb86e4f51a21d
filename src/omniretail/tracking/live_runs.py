"""Runs of this host whose process is gone: closed, so that no run that was killed stays RUNNING.

Every open run has a file under ``~/.local/state/omniretail`` (``XDG_STATE_HOME``) that its process locks. The operating
system releases the lock however the process ends. The file's suffix is the status with which its run is to be closed.
"""

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

log = logging.getLogger(__name__)

_GONE = "the process ended without closing the run"


class OpenMark:
    """The locked file of one open run."""

    def __init__(self, store: str, run_id: str) -> None:
        """Lock the file; a home that cannot be written means that nobody will close the run.

        Args:
            store: identifies the tracking store on this host.
            run_id: of a run that this process opened.
        """
        self.path = _folder(store) / f"{run_id}.KILLED"
        self.lock = FileLock(self.path)
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.parent / ".lock"):
                self.lock.acquire()

    def closed(self) -> None:
        """The run is closed: the file goes."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.lock.release(force=True)

    def left(self, status: str) -> None:
        """The store could not be reached: the next command of this host closes the run with this status."""
        with suppress(OSError):
            self.path.rename(self.path.with_suffix(f".{status}"))
        self.lock.release(force=True)


def close_dead_runs(client: MlflowClient, store: str) -> None:
    """Close runs in a store whose process on this host is gone; does nothing where there are none.

    Args:
        client: of the store.
        store: see ``OpenMark``.
    """
    folder = _folder(store)
    for path in folder.glob("[!.]*"):
        with suppress(OSError, Timeout), FileLock(folder / ".lock"), FileLock(path, timeout=0):
            if _closed(client, path.stem, path.suffix.removeprefix(".")):
                path.unlink(missing_ok=True)


def _closed(client: MlflowClient, run_id: str, status: str) -> bool:
    """Close a run that is still RUNNING; False where the store cannot be reached."""
    try:
        if client.get_run(run_id).info.status == "RUNNING":
            if status == "KILLED":
                client.set_tag(run_id, "error", _GONE)
            client.set_terminated(run_id, status)
            log.info("run %s is closed as %s: its process is gone", run_id, status)
    except MlflowException as error:
        return error.error_code == "RESOURCE_DOES_NOT_EXIST"
    return True


def _folder(store: str) -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "omniretail" / "open_runs" / hashlib.sha256(store.encode()).hexdigest()[:16]
