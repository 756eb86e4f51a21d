"""Experiments by name: made where they are new, refused where they are deleted."""

import shlex

from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException

from omniretail.config import command
from omniretail.core.errors import SettingsError

_KIND = {"mlflow.experimentKind": "custom_model_development"}


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """The id of an experiment that runs can be added to.

    Args:
        client: of the store.
        uri: of the store, for messages.
        name: a number, too, is a name.

    Raises:
        SettingsError: where the name is empty or refused by MLflow, or the experiment is deleted.
    """
    require_name(name)
    experiment = client.get_experiment_by_name(str(name)) or _made(client, str(name))
    if experiment.lifecycle_stage == "deleted":
        restore = f"{command('mlflow')} experiments restore --experiment-id {experiment.experiment_id}"
        raise SettingsError(
            f"the experiment {name} in {uri} is deleted; restore it with: MLFLOW_TRACKING_URI={shlex.quote(uri)} "
            f"{restore}, or name another: tracking.experiment=<name>"
        )
    return experiment.experiment_id


def require_name(name: str) -> None:
    """Refuse an empty name.

    Raises:
        SettingsError: where it is one.
    """
    if name is None or not str(name).strip():
        raise SettingsError("tracking.experiment is empty; name the experiment: tracking.experiment=<name>")


def _made(client: MlflowClient, name: str) -> Experiment:
    try:
        return client.get_experiment(client.create_experiment(name, tags=_KIND))
    except MlflowException as error:
        experiment = client.get_experiment_by_name(name)  # another run made it in the meantime
        if experiment is not None:
            return experiment
        if error.error_code == "INVALID_PARAMETER_VALUE":
            raise SettingsError(f"tracking.experiment={name[:80]} is refused: {str(error.message)[:160]}") from None
        raise
