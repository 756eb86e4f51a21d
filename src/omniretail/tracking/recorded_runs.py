"""Runs that exist: of a sweep, failed ones, and copied from one store to another."""

from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from omniretail.core.errors import MissingError
from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.runs import TrackedRun, reason


def children(uri: str, run_id: str) -> list[str]:
    """Finished runs of a sweep, oldest first; the run itself where it has none.

    Raises:
        MissingError: where the store has no such run.
        PermissionError: where the server refuses name or password.
    """
    client = MlflowClient(uri)
    try:
        client.get_run(run_id)
    except MlflowException as error:
        if refused := refusal(uri, error):
            raise PermissionError(refused) from None
        raise MissingError(
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
    """Copy a run that was saved locally to a server, with its files; its id there is returned.

    Raises:
        MissingError: where the source has no such run.
        ConnectionError: where the target is down.
        PermissionError: where the target refuses name or password.
    """
    client = MlflowClient(source)
    try:
        run = client.get_run(run_id)
    except MlflowException:
        raise MissingError(f"there is no run {run_id} in {source}") from None
    name = client.get_experiment(run.info.experiment_id).name
    copy = TrackedRun(name, run.info.run_name or run_id, run.data.params, run.data.tags, target)
    try:
        copy.open_at(target)
        inputs = run.inputs.dataset_inputs if run.inputs else []
        copy.send(Path(download_artifacts(run_id=run_id, tracking_uri=source)), run.data.metrics, inputs)
    except (MlflowException, OSError) as error:
        if refused := refusal(target, error):
            raise PermissionError(refused) from None
        raise ConnectionError(f"{target} cannot be reached ({reason(error)})") from None
    copy.end(run.info.status)
    return copy.run_id


def _children(client: MlflowClient, run_id: str, status: str) -> list[Run]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}' and attributes.status = '{status}'"
    return list(client.search_runs(experiments, query, order_by=["attributes.start_time"], max_results=1000))
