"""A server that refuses name or password: unlike one that is down, only a person can mend that."""

import os

from mlflow.exceptions import MlflowException


def refusal(uri: str, error: Exception) -> str | None:
    """The sentence for a user whom the server at ``uri`` refuses; None for any other error."""
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    status = _status(error)
    if status == 401 and user:
        return (
            f"the tracking server {uri} does not accept this name and password (user '{user}'); "
            "correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    if status == 401:
        return f"the tracking server {uri} requires a name and a password; set MLFLOW_TRACKING_USERNAME and _PASSWORD"
    if status == 403:
        return f"the tracking server {uri} does not let '{user}' do this; its admin can grant the permission"
    return None


def _status(error: Exception) -> int | None:
    """HTTP's status: from MLflow for records, from requests for files."""
    if isinstance(error, MlflowException):
        return {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}.get(str(error.error_code))
    return getattr(getattr(error, "response", None), "status_code", None)
