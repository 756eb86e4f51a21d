"""MLflow: every run with its settings, data, code, figures and files; the only importer of mlflow for runs.

A run goes to the server that the tracking URI names. Where that cannot be reached, the run is kept in the local SQLite
file and says how to push it.
"""

import json
import logging
import os
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from omniretail.lineage import provenance
from omniretail.result import Result
from omniretail.schema import Card, Tables

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
        """Start the run on the wanted store, or locally where that is down."""
        try:
            self.open_at(self.wanted_uri)
        except (MlflowException, OSError) as error:
            if self.wanted_uri == LOCAL:
                raise
            self._move_home(error)

    def record(self, folder: Path, metrics: Mapping[str, float], tables: Tables | None = None) -> None:
        """Add files, figures and the data's lineage; once more locally where the server has gone meanwhile."""
        try:
            self.send(folder, metrics, tables)
        except (MlflowException, OSError) as error:
            if self.uri == LOCAL:
                raise
            self._move_home(error)
            self.send(folder, metrics, tables)

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

    def _move_home(self, error: Exception) -> None:
        reason = str(error).splitlines()[0][:120]
        self.open_at(LOCAL)
        log.warning(
            "the tracking server %s is down (%s); this run is kept in %s. Push it later with: "
            "python scripts/push.py %s --to %s",
            *(self.wanted_uri, reason, LOCAL, self.run_id, self.wanted_uri),
        )

    def send(self, folder: Path, metrics: Mapping[str, float], tables: Tables | None) -> None:
        """Add files, figures and the data's lineage to the run where it is."""
        if tables is not None:
            self.client.log_inputs(self.run_id, [_dataset(tables)])
        points = [Metric(key, value, timestamp=0, step=0) for key, value in metrics.items()]
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
        run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
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


def record_results(run: TrackedRun, results: Sequence[Result], config: str, tables: Tables, plots: Mapping) -> None:
    """Keep what a run found: means as metrics, values per user as Parquet, plots, settings and drop counts.

    Args:
        run: open.
        results: one per stage.
        config: the resolved config, YAML.
        tables: the data, for its version and drop counts.
        plots: matplotlib figures by file name without its ending.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(config)
        facts = {"card": asdict(tables.card), "drops": tables.drops, "version": tables.version}
        (folder / "data.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False))
        for result in results:
            _write_result(result, folder / "results" / result.stage)
        for name, figure in plots.items():
            (folder / "plots").mkdir(exist_ok=True)
            figure.savefig(folder / "plots" / f"{name}.svg")
        run.record(folder, {k: v for result in results for k, v in means(result).items()}, tables)


def means(result: Result) -> dict[str, float]:
    """The run's figures under their MLflow keys, e.g. ``test/ndcg_at_10``; what nobody has is left out."""
    figures = result.per_user.mean().dropna().to_dict() | result.overall
    costs = {"fit_s": result.fit_s, "score_s": result.score_s, "peak_memory_mb": result.peak_memory_mb}
    return {f"{result.stage}/{key}": float(value) for key, value in (figures | costs).items()}


@dataclass(frozen=True)
class DataFacts:
    """What a run says of its data."""

    card: Card
    drops: dict[str, int]
    version: str


def load_data_facts(uri: str, run_id: str) -> DataFacts:
    """Read back what ``record_results`` kept of the data."""
    facts = json.loads(Path(download_artifacts(run_id=run_id, artifact_path="data.json", tracking_uri=uri)).read_text())
    return DataFacts(Card(**facts["card"]), facts["drops"], facts["version"])


def load_result(uri: str, run_id: str, stage: str) -> Result:
    """Read back what ``record_results`` kept.

    Raises:
        LookupError: where the store has no such run, or the run no such stage.
    """
    try:
        folder = Path(download_artifacts(run_id=run_id, artifact_path=f"results/{stage}", tracking_uri=uri))
    except (MlflowException, OSError) as error:
        raise LookupError(f"run {run_id} has no results for stage={stage} in {uri}: {error}") from None
    facts = json.loads((folder / "result.json").read_text())
    return Result(**facts, per_user=pd.read_parquet(folder / "per_user.parquet"), run_id=run_id)


def children(uri: str, run_id: str) -> list[str]:
    """Finished runs of a sweep, oldest first; the run itself where it has none.

    Raises:
        LookupError: where the store has no such run.
    """
    client = MlflowClient(uri)
    try:
        client.get_run(run_id)
    except MlflowException:
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
        copy.client.log_inputs(copy.run_id, run.inputs.dataset_inputs if run.inputs else [])
        copy.send(Path(download_artifacts(run_id=run_id, tracking_uri=source)), run.data.metrics, None)
    except (MlflowException, OSError) as error:
        raise ConnectionError(f"{target} cannot be reached ({str(error).splitlines()[0][:120]})") from None
    copy.end(run.info.status)
    return copy.run_id


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    try:
        return client.create_experiment(name)
    except MlflowException:  # another run made it in the meantime
        made = client.get_experiment_by_name(name)
        if made is None:
            raise
        return made.experiment_id


def _children(client: MlflowClient, run_id: str, status: str) -> list[Run]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}' and attributes.status = '{status}'"
    return list(client.search_runs(experiments, query, order_by=["attributes.start_time"], max_results=1000))


def _dataset(tables: Tables) -> DatasetInput:
    facts = json.dumps({"address": tables.card.address, "terms": tables.card.terms})
    profile = json.dumps({"dropped": tables.drops})
    entity = Dataset(tables.card.title, tables.version, "files", facts, profile=profile)
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training and evaluation")])


def _write_result(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True)
    facts = {k: v for k, v in asdict(result).items() if k not in ("per_user", "run_id")}
    (folder / "result.json").write_text(json.dumps(facts, indent=1))
    result.per_user.to_parquet(folder / "per_user.parquet")


def _record_error(run: TrackedRun, error: BaseException) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "error.txt").write_text("".join(traceback.format_exception(error)))
        try:
            run.client.set_tag(run.run_id, "error", f"{type(error).__name__}: {error}"[:5000])
            run.client.log_artifacts(run.run_id, folder)
        except (MlflowException, OSError):
            log.warning("the error could not be recorded in %s", run.uri)
