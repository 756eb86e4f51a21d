"""A server that is there but will not have us: another thing than one that is down, for only a person can mend it."""

import os

from mlflow.exceptions import MlflowException


def refusal(uri: str, error: MlflowException | OSError) -> str | None:
    """What to tell a user whom the server at ``uri`` does not let in; None where the error is another one."""
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    status = _status(error)
    if status == 401 and user:
        return (
            f"the tracking server {uri} does not know this name and password (user '{user}'); "
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD right"
        )
    if status == 401:
        return f"the tracking server {uri} wants a name and a password; set MLFLOW_TRACKING_USERNAME and _PASSWORD"
    if status == 403:
        return f"the tracking server {uri} does not let '{user}' do this; ask its admin for the right to it"
    return None


def _status(error: MlflowException | OSError) -> int | None:
    """HTTP's number: MLflow says it of records, requests of files."""
    if isinstance(error, MlflowException):
        return {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}.get(str(error.error_code))
    return getattr(getattr(error, "response", None), "status_code", None)
