"""The run in MLflow whose children the trials are: of the command that began the search, or that goes on with it."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from optuna.study import Study

from omniretail.core.credentials import remember
from omniretail.search.evaluate import RUN_ID
from omniretail.tracking import LOCAL, TrackedRun, open_store, sweep, tracked

_PARENT = "parent_run"


@dataclass(frozen=True)
class Parent:
    """The run above the trials.

    Attributes:
        run: open.
        own: whether this command opened it; else another one that is still at work did, and finishes the search.
    """

    run: TrackedRun
    own: bool


@contextmanager
def parent_run(uri: str, experiment: str, name: str, params: Mapping[str, str], study: Study) -> Iterator[Parent]:
    """Runs tracked inside the block are children of the search's run.

    Where the command that opened it is still at work, on this or another machine, the trials of both are its children.
    Where that is gone, a new run is opened, and earlier trials become children of this one.

    Args:
        uri: the tracking store.
        experiment: made where it does not exist.
        name: of the run.
        params: settings of the search.
        study: whose trials they are.
    """
    if other := _at_work(uri, experiment, name, study):
        with sweep(other):
            yield Parent(other, own=False)
        return
    with tracked(uri, experiment, name, params) as run, sweep(run):
        study.set_user_attr(_PARENT, run.run_id)
        _adopt(run, study)
        yield Parent(run, own=True)


def _at_work(uri: str, experiment: str, name: str, study: Study) -> TrackedRun | None:
    """The open run of another command; None where there is none."""
    run_id = study.user_attrs.get(_PARENT)
    if not run_id:
        return None
    with contextlib.suppress(MlflowException, ConnectionError):
        client = open_store(remember(uri or LOCAL))  # closes runs of this machine whose process is gone
        if client.get_run(run_id).info.status == "RUNNING":
            run = TrackedRun(experiment, name, {}, {}, uri, uri, run_id)
            run.client = client
            return run
    return None


def _adopt(run: TrackedRun, study: Study) -> None:
    for trial in study.get_trials(deepcopy=False):
        if child := trial.user_attrs.get(RUN_ID):
            with contextlib.suppress(MlflowException):  # in another store
                run.client.set_tag(child, MLFLOW_PARENT_RUN_ID, run.run_id)
