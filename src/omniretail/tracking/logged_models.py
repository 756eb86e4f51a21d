"""What a run saves of its model, as MLflow's logged model: tied to the run, its metrics and its dataset."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import DatasetInput, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.exceptions import MlflowException

from omniretail.core.credentials import reveal

_NO_CHARACTERS = re.compile(r"[/:.%\"']+")


@dataclass(frozen=True)
class ModelFiles:
    """A model to be logged.

    Attributes:
        folder: its files.
        name: for people.
        task: what it was evaluated by.
        params: its hyper-parameters.
        stage: whose metrics are its own; it was fitted for that stage.
    """

    folder: Path
    name: str
    task: str
    params: Mapping[str, str]
    stage: str = "test"

    def own(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics of the model's stage, which ``log_model`` records for the run and the model at once."""
        return {key: value for key, value in metrics.items() if key.startswith(f"{self.stage}/")}


def log_model(
    client: MlflowClient, run_id: str, model: ModelFiles, metrics: Mapping[str, float], inputs: Sequence[DatasetInput]
) -> str:
    """Add a model to an open run; its id in MLflow is returned.

    Args:
        client: of the store that holds the run.
        run_id: of the run that fitted it.
        model: its files and names.
        metrics: of the model's stage; they become metrics of the run too.
        inputs: the run's datasets; metrics are tied to the first.
    """
    name = _NO_CHARACTERS.sub("-", model.name).strip("-") or "model"
    params = {key: value[:6000] for key, value in model.params.items()}
    experiment = client.get_run(run_id).info.experiment_id
    logged = client.create_logged_model(experiment, name, run_id, {"task": model.task}, params, model.task)
    client.log_model_artifacts(logged.model_id, str(model.folder))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
    data = inputs[0].dataset if inputs else None
    of = {"dataset_name": data.name, "dataset_digest": data.digest} if data else {}
    now = int(time.time() * 1000)
    points = [
        Metric(key, value, now, 0, model_id=logged.model_id, run_id=run_id, **of) for key, value in metrics.items()
    ]
    client.log_batch(run_id, metrics=points)
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    return logged.model_id


def model_id_of(run: Run) -> str:
    """The id of the model that a run logged; empty where it logged none."""
    outputs = run.outputs.model_outputs if run.outputs else []
    return outputs[-1].model_id if outputs else ""


def download_model(client: MlflowClient, uri: str, run: Run, folder: Path) -> Path | None:
    """Download the files of the model that a run logged; None where it logged none, or they are gone.

    Args:
        client: of the tracking store.
        uri: of the same.
        run: read from it.
        folder: gets the folder ``model``.
    """
    model_id = model_id_of(run)
    if not model_id:
        return None
    download = folder / "download"
    download.mkdir(parents=True)
    try:
        place = client.get_logged_model(model_id).artifact_location  # MLflow looks models:/<id> up in another store
        path = Path(download_artifacts(place, dst_path=str(download), tracking_uri=reveal(uri)))
        return path.rename(folder / "model")
    except (MlflowException, OSError):
        return None
