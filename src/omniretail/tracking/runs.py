"""Runs while they are open: on a server or, where that is down, in the local SQLite file."""

import contextlib
import logging
import os
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

from omniretail.core.credentials import hide, remember
from omniretail.core.errors import SettingsError
from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.experiments import experiment_id, require_name
from omniretail.tracking.live_runs import OpenMark
from omniretail.tracking.logged_models import ModelFiles, log_model
from omniretail.tracking.provenance import provenance
from omniretail.tracking.server_probe import wrong_server
from omniretail.tracking.store import LOCAL, first_line, open_store, store_name

log = logging.getLogger(__name__)
logging.getLogger("mlflow").setLevel(logging.WARNING)  # it logs every step of setting up a database

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # files here are small
_PARENT = "OMNIRETAIL_PARENT_RUN"


@dataclass
class TrackedRun:
    """An open run, with all that is needed to open it again in another store.

    Attributes:
        experiment: made where it does not exist.
        name: of the run, for people.
        params: the resolved settings, flat.
        tags: see ``provenance``.
        wanted_uri: the tracking store in the settings, without credentials.
        uri: the store that holds the run: the local one where the wanted one is down.
        run_id: MLflow's id.
    """

    experiment: str
    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    wanted_uri: str
    uri: str = ""
    run_id: str = ""
    client: MlflowClient = field(init=False)
    mark: OpenMark = field(init=False)

    def open(self) -> None:
        """Start the run in the wanted store, or locally where that is down.

        Raises:
            PermissionError: where the server refuses name or password.
            SettingsError: where the address or the experiment cannot be used.
        """
        try:
            self.open_at(self.wanted_uri)
        except (MlflowException, OSError) as error:
            if refused := refusal(self.wanted_uri, error):
                raise PermissionError(refused) from None
            if wrong := wrong_server(self.wanted_uri):
                raise SettingsError(wrong) from None
            if self.wanted_uri.startswith("sqlite"):
                raise SettingsError(f"{self.wanted_uri} cannot be used ({first_line(error)})") from None
            self._move_to_local(error)

    def record(
        self,
        folder: Path,
        metrics: Mapping[str, float],
        inputs: Sequence[DatasetInput] = (),
        model: ModelFiles | None = None,
    ) -> None:
        """Add files, metrics, the dataset and the model; again locally where the server has gone down meanwhile."""
        try:
            self.send(folder, metrics, inputs, model)
        except (MlflowException, OSError) as error:
            if self.uri == LOCAL:
                raise
            self._move_to_local(error)
            self.send(folder, metrics, inputs, model)

    def point(self, stage: str, epoch: int, values: Mapping[str, float]) -> None:
        """Add a point to the run's learning curves, ``fit/<stage>/<name>``; it is lost where the server is down."""
        now = int(time.time() * 1000)
        points = [Metric(f"fit/{stage}/{name}", value, now, step=epoch) for name, value in values.items()]
        try:
            self.client.log_batch(self.run_id, metrics=points)
        except (MlflowException, OSError) as error:
            log.warning("epoch %d could not be shown in %s: %s", epoch, self.uri, first_line(error))

    def add_metrics(self, metrics: Mapping[str, float]) -> None:
        """Add metrics to the run."""
        now = int(time.time() * 1000)
        self.client.log_batch(self.run_id, metrics=[Metric(key, value, now, 0) for key, value in metrics.items()])

    def describe(self, text: str) -> None:
        """Set the description on the run's page, Markdown."""
        self.client.set_tag(self.run_id, MLFLOW_RUN_NOTE, text)

    def note(self, name: str, text: str) -> None:
        """Add a tag, which goes with the run wherever it is continued."""
        self.tags = {**self.tags, name: hide(text)[:5000]}
        with contextlib.suppress(MlflowException, OSError):
            self.client.set_tag(self.run_id, name, self.tags[name])

    def add_file(self, path: Path, folder: str) -> None:
        """Add one file to the run, into a folder of its artifacts."""
        self.client.log_artifact(self.run_id, str(path), folder)

    def end(self, status: str) -> None:
        """Close the run as FINISHED, FAILED or KILLED; where the server is down, the next command closes it."""
        try:
            self.client.set_terminated(self.run_id, status)
        except (MlflowException, OSError) as error:
            log.warning("run %s could not be closed as %s: %s", self.run_id, status, first_line(error))
            self.mark.left(status)
        else:
            self.mark.closed()

    def open_at(self, uri: str) -> None:
        """Start the run in this store and no other."""
        # one short retry: a server that is down must not delay an experiment for minutes
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
        self.client, self.uri, self.run_id = open_store(uri), uri, ""
        run = self.client.create_run(experiment_id(self.client, uri, self.experiment), run_name=hide(self.name))
        self.run_id = run.info.run_id
        self.mark = OpenMark(store_name(uri), self.run_id)
        params = [Param(key, hide(value)[:6000]) for key, value in self.params.items()]
        self.client.log_batch(self.run_id, params=params, tags=[RunTag(k, v) for k, v in self.tags.items()])

    def _move_to_local(self, error: MlflowException | OSError) -> None:
        if self.run_id:  # a twin on the server, that nobody continues
            with contextlib.suppress(MlflowException, OSError):
                self.client.set_tag(self.run_id, "error", f"continued in {LOCAL}: {first_line(error)}")
            self.end("FAILED")
        down = f"the tracking server {self.wanted_uri} is down ({first_line(error)})"
        self.open_at(LOCAL)
        log.warning(
            "%s; this run is saved in %s. Push it later with: python scripts/push.py run_id=%s to=%s",
            *(refusal(self.wanted_uri, error) or down, LOCAL, self.run_id, self.wanted_uri),
        )

    def send(
        self, folder: Path, metrics: Mapping[str, float], inputs: Sequence[DatasetInput], model: ModelFiles | None
    ) -> None:
        """Add files, metrics, the dataset and the model to the run in its store."""
        if inputs:
            self.client.log_inputs(self.run_id, list(inputs))
        own = {} if model is None else model.own(metrics)
        self.add_metrics({key: value for key, value in metrics.items() if key not in own})
        self.client.log_artifacts(self.run_id, str(folder))
        if model is not None:
            log_model(self.client, self.run_id, model, own, inputs)


@contextmanager
def tracked(uri: str, experiment: str, name: str, params: Mapping[str, str]) -> Iterator[TrackedRun]:
    """Track a run for as long as the block lasts; a block that fails leaves a run marked failed, with its error.

    Inside a sweep the run becomes a child of the sweep's run.

    Args:
        uri: the tracking store; empty: the local one.
        experiment: made where it does not exist.
        name: of the run, for people.
        params: the resolved settings, flat.

    Raises:
        PermissionError: where the server refuses name or password.
        SettingsError: where the address or the experiment cannot be used.
    """
    parent = os.environ.get(_PARENT)
    tags = provenance() | ({MLFLOW_PARENT_RUN_ID: parent} if parent else {})
    run = TrackedRun(experiment, name, params, tags, remember(uri or LOCAL))
    run.open()
    try:
        yield run
    except BaseException as error:
        _record_error(run, error)
        run.end("KILLED" if isinstance(error, KeyboardInterrupt | SystemExit) else "FAILED")
        raise
    run.end("FINISHED")


def check_store(uri: str, experiment: str) -> None:
    """Refuse before any work what no server is needed for: an address that is none, a broken file, an empty name.

    Raises:
        SettingsError: naming the setting.
    """
    require_name(experiment)
    with contextlib.suppress(ConnectionError):  # down now, perhaps not when the run begins
        open_store(remember(uri or LOCAL))


@contextmanager
def sweep(run: TrackedRun) -> Iterator[None]:
    """Runs tracked inside the block, in this process or in ones it starts, become children of ``run``."""
    os.environ[_PARENT] = run.run_id
    try:
        yield
    finally:
        del os.environ[_PARENT]


def _record_error(run: TrackedRun, error: BaseException) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "error.txt").write_text(hide("".join(traceback.format_exception(error))))
        try:
            run.client.set_tag(run.run_id, "error", hide(f"{type(error).__name__}: {error}")[:5000])
            run.client.log_artifacts(run.run_id, folder)
        except (MlflowException, OSError):
            log.warning("the error could not be recorded in %s", run.uri)
