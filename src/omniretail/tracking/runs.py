"""Opening, keeping and closing runs, on a server or, where that is down, in the local SQLite file."""

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
from mlflow.artifacts import download_artifacts
from mlflow.entities import DatasetInput, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.provenance import provenance

log = logging.getLogger(__name__)
logging.getLogger("mlflow").setLevel(logging.WARNING)  # its notes on setting up a database are nobody's business

LOCAL = "sqlite:///mlflow.db"
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # files here are small
_PARENT = "OMNIRETAIL_PARENT_RUN"


@dataclass
class TrackedRun:
    """An open run: where it is kept, and what to say again should it have to move.

    Attributes:
        uri: the tracking store that holds it.
        run_id: MLflow's id.
        wanted_uri: the store that was asked for; another than ``uri`` where that one was down.
    """

    experiment: str
    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    wanted_uri: str
    uri: str = ""
    run_id: str = ""
    client: MlflowClient = field(init=False)

    def open(self) -> None:
        """Start the run on the wanted store, or locally where that is down.

        Raises:
            PermissionError: where the server is there but does not let us in.
        """
        try:
            self.open_at(self.wanted_uri)
        except (MlflowException, OSError) as error:
            if refused := refusal(self.wanted_uri, error):
                raise PermissionError(refused) from None
            if self.wanted_uri == LOCAL:
                raise
            self._move_home(error)

    def record(self, folder: Path, metrics: Mapping[str, float], inputs: Sequence[DatasetInput] = ()) -> None:
        """Add files, figures and the data's lineage; once more locally where the server has gone meanwhile."""
        try:
            self.send(folder, metrics, inputs)
        except (MlflowException, OSError) as error:
            if self.uri == LOCAL:
                raise
            self._move_home(error)
            self.send(folder, metrics, inputs)

    def point(self, stage: str, epoch: int, figures: Mapping[str, float]) -> None:
        """Add a point to the run's learning curves, ``fit/<stage>/<figure>``; a server that is gone misses it."""
        now = int(time.time() * 1000)
        points = [Metric(f"fit/{stage}/{name}", value, now, step=epoch) for name, value in figures.items()]
        try:
            self.client.log_batch(self.run_id, metrics=points)
        except (MlflowException, OSError) as error:
            log.warning("epoch %d could not be shown in %s: %s", epoch, self.uri, _reason(error))

    def describe(self, text: str) -> None:
        """What the run's page says of it, Markdown."""
        self.client.set_tag(self.run_id, MLFLOW_RUN_NOTE, text)

    def add_file(self, path: Path, folder: str) -> None:
        """Add one file to the run, into a folder of its artifacts."""
        self.client.log_artifact(self.run_id, str(path), folder)

    def end(self, status: str) -> None:
        """Close the run as FINISHED, FAILED or KILLED; a server that is gone by now cannot be told."""
        try:
            self.client.set_terminated(self.run_id, status)
        except (MlflowException, OSError) as error:
            log.warning("run %s could not be closed as %s: %s", self.run_id, status, error)

    def open_at(self, uri: str) -> None:
        """Start the run on this store and no other."""
        # one short retry: a server that is down must not hold up an experiment for minutes
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
        self.client, self.uri = MlflowClient(uri), uri
        run = self.client.create_run(_experiment(self.client, self.experiment), run_name=self.name)
        self.run_id = run.info.run_id
        params = [Param(key, value[:6000]) for key, value in self.params.items()]
        self.client.log_batch(self.run_id, params=params, tags=[RunTag(k, v) for k, v in self.tags.items()])

    def _move_home(self, error: MlflowException | OSError) -> None:
        down = f"the tracking server {self.wanted_uri} is down ({_reason(error)})"
        self.open_at(LOCAL)
        log.warning(
            "%s; this run is kept in %s. Push it later with: python scripts/push.py %s --to %s",
            *(refusal(self.wanted_uri, error) or down, LOCAL, self.run_id, self.wanted_uri),
        )

    def send(self, folder: Path, metrics: Mapping[str, float], inputs: Sequence[DatasetInput]) -> None:
        """Add files, figures and the data's lineage to the run where it is."""
        if inputs:
            self.client.log_inputs(self.run_id, list(inputs))
        now = int(time.time() * 1000)
        points = [Metric(key, value, timestamp=now, step=0) for key, value in metrics.items()]
        self.client.log_batch(self.run_id, metrics=points)
        self.client.log_artifacts(self.run_id, str(folder))


@contextmanager
def tracked(uri: str, experiment: str, name: str, params: Mapping[str, str]) -> Iterator[TrackedRun]:
    """Keep a run for as long as the block lasts; a block that fails leaves a run marked failed, with its error.

    Inside a sweep the run becomes a child of the sweep's run.

    Args:
        uri: the tracking store.
        experiment: made where it does not exist.
        name: of the run, for people.
        params: the resolved settings, flat.
    """
    parent = os.environ.get(_PARENT)
    tags = provenance() | ({MLFLOW_PARENT_RUN_ID: parent} if parent else {})
    run = TrackedRun(experiment, name, params, tags, uri)
    run.open()
    try:
        yield run
    except BaseException as error:
        _record_error(run, error)
        run.end("KILLED" if isinstance(error, KeyboardInterrupt | SystemExit) else "FAILED")
        raise
    run.end("FINISHED")


@contextmanager
def sweep(run: TrackedRun) -> Iterator[None]:
    """Runs tracked inside the block, in this process or in ones it starts, become children of ``run``."""
    os.environ[_PARENT] = run.run_id
    try:
        yield
    finally:
        del os.environ[_PARENT]


def children(uri: str, run_id: str) -> list[str]:
    """Finished runs of a sweep, oldest first; the run itself where it has none.

    Raises:
        LookupError: where the store has no such run.
        PermissionError: where the server does not let us in.
    """
    client = MlflowClient(uri)
    try:
        client.get_run(run_id)
    except MlflowException as error:
        if refused := refusal(uri, error):
            raise PermissionError(refused) from None
        raise LookupError(
            f"there is no run {run_id} in {uri}; look it up with: mlflow ui --backend-store-uri {uri}"
        ) from None
    return [run.info.run_id for run in _children(client, run_id, "FINISHED")] or [run_id]


def failed_children(uri: str, run_id: str) -> dict[str, str]:
    """Names and errors of a sweep's runs that failed."""
    return {
        f"{run.info.run_name} ({run.info.run_id[:8]})": run.data.tags.get("error", "")
        for run in _children(MlflowClient(uri), run_id, "FAILED")
    }


def push(run_id: str, source: str, target: str) -> str:
    """Copy a run that was kept locally to a server, files and all; its id there is returned.

    Raises:
        LookupError: where the source has no such run.
        ConnectionError: where the target is down.
        PermissionError: where the target does not let us in.
    """
    kept = MlflowClient(source)
    try:
        run = kept.get_run(run_id)
    except MlflowException:
        raise LookupError(f"there is no run {run_id} in {source}") from None
    name = kept.get_experiment(run.info.experiment_id).name
    copy = TrackedRun(name, run.info.run_name or run_id, run.data.params, run.data.tags, target)
    try:
        copy.open_at(target)
        inputs = run.inputs.dataset_inputs if run.inputs else []
        copy.send(Path(download_artifacts(run_id=run_id, tracking_uri=source)), run.data.metrics, inputs)
    except (MlflowException, OSError) as error:
        if refused := refusal(target, error):
            raise PermissionError(refused) from None
        raise ConnectionError(f"{target} cannot be reached ({_reason(error)})") from None
    copy.end(run.info.status)
    return copy.run_id


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:120]


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    try:
        return client.create_experiment(name, tags={"mlflow.experimentKind": "custom_model_development"})
    except MlflowException:  # another run made it in the meantime
        made = client.get_experiment_by_name(name)
        if made is None:
            raise
        return made.experiment_id


def _children(client: MlflowClient, run_id: str, status: str) -> list[Run]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}' and attributes.status = '{status}'"
    return list(client.search_runs(experiments, query, order_by=["attributes.start_time"], max_results=1000))


def _record_error(run: TrackedRun, error: BaseException) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "error.txt").write_text("".join(traceback.format_exception(error)))
        try:
            run.client.set_tag(run.run_id, "error", f"{type(error).__name__}: {error}"[:5000])
            run.client.log_artifacts(run.run_id, folder)
        except (MlflowException, OSError):
            log.warning("the error could not be recorded in %s", run.uri)
