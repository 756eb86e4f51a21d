"""Runs that exist: of a sweep, and copied from one store to another."""

import shlex
import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from omniretail.core.credentials import remember, reveal
from omniretail.core.errors import MissingError, SettingsError
from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.logged_models import ModelFiles, download_model, model_id_of
from omniretail.tracking.runs import TrackedRun
from omniretail.tracking.server_probe import wrong_server
from omniretail.tracking.store import explained, first_line, open_store


def children(uri: str, run_id: str) -> list[str]:
    """Finished runs of a sweep, oldest first; the run itself where it has none.

    Raises:
        MissingError: where the store has no such run.
        PermissionError: where the server refuses name or password.
        SettingsError: where the store cannot be reached.
    """
    existing_run(uri, run_id)
    return [run.info.run_id for run in _finished_children(open_store(remember(uri)), run_id)] or [run_id]


def existing_run(uri: str, run_id: str) -> Run:
    """A run by its id; errors as in ``children``."""
    uri = remember(uri)
    try:
        return open_store(uri).get_run(run_id)
    except (MlflowException, OSError) as error:
        if not _is_missing(error):
            raise explained(uri, error) from None
        raise MissingError(
            f"there is no run {run_id} in {uri}; look it up with: python scripts/ui.py --uri={shlex.quote(uri)}"
        ) from None


def push(run_id: str, source: str, target: str) -> str:
    """Copy a run that was saved locally to a server, with its files; its id there is returned.

    Raises:
        MissingError: where the source has no such run.
        ConnectionError: where the target is down.
        PermissionError: where the target refuses name or password.
        SettingsError: where the target is no tracking server.
    """
    source, target = remember(source), remember(target)
    client = open_store(source)
    try:
        run = client.get_run(run_id)
    except MlflowException:
        raise MissingError(f"there is no run {run_id} in {source}") from None
    name = client.get_experiment(run.info.experiment_id).name
    copy = TrackedRun(name, run.info.run_name or run_id, run.data.params, run.data.tags, target)
    try:
        copy.open_at(target)
        inputs = run.inputs.dataset_inputs if run.inputs else []
        with tempfile.TemporaryDirectory() as folder:
            model = _model_files(client, source, run, Path(folder))
            files = Path(download_artifacts(run_id=run_id, tracking_uri=reveal(source)))
            copy.send(files, run.data.metrics, inputs, model)
    except (MlflowException, OSError) as error:
        if copy.run_id:
            copy.end("FAILED")  # the half that arrived
        if refused := refusal(target, error):
            raise PermissionError(refused) from None
        if wrong := wrong_server(target):
            raise SettingsError(wrong) from None
        raise ConnectionError(f"{target} cannot be reached ({first_line(error)})") from None
    copy.end(run.info.status)
    return copy.run_id


def _model_files(client: MlflowClient, source: str, run: Run, folder: Path) -> ModelFiles | None:
    """The model that the run logged, its files downloaded; None where there is none."""
    path = download_model(client, source, run, folder)
    if path is None:
        return None
    logged = client.get_logged_model(model_id_of(run))
    return ModelFiles(path, str(logged.name), str(logged.model_type), logged.params)


def _is_missing(error: Exception) -> bool:
    return getattr(error, "error_code", "") in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def _finished_children(client: MlflowClient, run_id: str) -> list[Run]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}' and attributes.status = 'FINISHED'"
    return list(client.search_runs(experiments, query, order_by=["attributes.start_time"], max_results=1000))
