"""Which trial is next: drawn by the sampler, or one that a killed process left."""

import os
import random
import socket
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import optuna
import psutil
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from omniretail.search.settings import SearchSettings
from omniretail.search.space import Dimension, combinations
from omniretail.search.storage import HEARTBEAT_S, require_file
from omniretail.search.study import ERROR

_OWNER, _TRIES = "owner", "tries"
_RETRIES = 2
_BEFORE_OWNER = timedelta(seconds=60)
"""A trial without an owner is younger than this, or its process ended between being asked for and being signed."""


@dataclass(frozen=True)
class Queue:
    """The trials of a study, as one process sees them.

    Attributes:
        study: in its database.
        storage: the database.
        space: what is searched.
        settings: of the search.
        lock: file that processes of this machine hold while they take a trial.
    """

    study: Study
    storage: RDBStorage
    space: Sequence[Dimension]
    settings: SearchSettings
    lock: Path

    def take(self) -> Trial | None:
        """The next trial, of this process from now on; None where the study has all its trials.

        Draws follow from the seed and the number of the trial, so that a search that was killed draws what it would
        have drawn.
        """
        require_file(self.settings.storage)
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.lock):
            self.retry_lost()
            trials = self.study.get_trials(deepcopy=False)
            if len(counted(trials)) >= self.settings.n_trials or not self._anything_left(trials):
                return None
            self.study.sampler = sampler(self.settings.sampler, self.settings.seed + 1009 * len(trials))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Heartbeat of storage")  # ``alive`` sends it
                trial = self.study.ask({each.name: each.distribution() for each in self.space})
            trial.set_user_attr(_OWNER, _this_process())
            return trial

    def _anything_left(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether there is a trial that was not made; of a space with few, none is made twice."""
        few = combinations(self.space, self.settings.n_trials)
        made = [each.params for each in counted(trials)]
        if not few or any(each.state == TrialState.WAITING for each in trials):
            return True
        left = [each for each in few if each not in made]
        if left:
            self.study.enqueue_trial(random.Random(self.settings.seed + len(trials)).choice(left))  # noqa: S311
        return bool(left)

    def retry_lost(self) -> None:
        """Mark trials whose process is gone as failed, and queue their settings again, up to two times each."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if _owner_is_gone(trial):
                with suppress(UpdateFinishedTrialError):  # another process was first
                    self.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
                    retry(self.study, trial)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ExperimentalWarning)
            fail_stale_trials(self.study)  # those of other machines, which send no heartbeat any more

    @contextmanager
    def alive(self, trial: Trial) -> Iterator[None]:
        """Send the trial's heartbeat to the other machines for as long as the block lasts."""
        stop = Event()

        def beat() -> None:
            while not stop.is_set():
                with suppress(StorageInternalError):  # the trial itself meets it too
                    self.storage.record_heartbeat(trial._trial_id)
                stop.wait(HEARTBEAT_S)

        thread = Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def retry(study: Study, trial: FrozenTrial) -> None:
    """Queue the settings of a trial whose process is gone."""
    tries = trial.user_attrs.get(_TRIES, 0) + 1
    if tries <= _RETRIES:
        attributes = {_TRIES: tries}
        again = optuna.create_trial(
            state=TrialState.WAITING, params=trial.params, distributions=trial.distributions, user_attrs=attributes
        )
        study.add_trial(again)


def counted(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that are done or in hand; those that a killed process left are not."""
    return [trial for trial in trials if trial.state != TrialState.WAITING and not is_lost(trial)]


def is_lost(trial: FrozenTrial) -> bool:
    """Whether the trial failed because its process ended before it, on this machine or on another."""
    return trial.state == TrialState.FAIL and ERROR not in trial.user_attrs


def sampler(name: str, seed: int) -> BaseSampler:
    """Optuna's sampler of this name."""
    return RandomSampler(seed=seed) if name == "random" else TPESampler(seed=seed)


def pruner(settings: SearchSettings) -> optuna.pruners.BasePruner:
    """Stops a trial that is worse than the median of the earlier ones at the same step."""
    return optuna.pruners.MedianPruner(n_startup_trials=settings.pruning.after_trials)


def _this_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": psutil.Process().create_time()}


def _owner_is_gone(trial: FrozenTrial) -> bool:
    owner = trial.user_attrs.get(_OWNER)
    if owner is None:
        return trial.datetime_start is None or datetime.now() - trial.datetime_start > _BEFORE_OWNER
    if owner["host"] != socket.gethostname():
        return False
    try:
        return psutil.Process(owner["pid"]).create_time() != owner["started"]
    except psutil.NoSuchProcess:
        return True
