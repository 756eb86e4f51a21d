"""The work of one process: it takes trials, evaluates them and tells the study, until there are no more."""

import logging
import multiprocessing
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import optuna
from hydra.core.utils import setup_globals
from omegaconf import DictConfig, OmegaConf
from optuna.exceptions import TrialPruned
from optuna.trial import FrozenTrial, Trial, TrialState

from omniretail.config_errors import sentence
from omniretail.core.errors import SettingsError
from omniretail.core.threads import n_threads
from omniretail.run import dataset
from omniretail.search.evaluate import Evaluator, ObjectiveError
from omniretail.search.settings import settings_of
from omniretail.search.space import dimensions, in_words
from omniretail.search.storage import open_storage, reachable
from omniretail.search.study import ERROR, values_of
from omniretail.search.trials import Queue, pruner, retry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What a process needs to begin; it can be sent to one.

    Attributes:
        cfg: composed from ``configs/search.yaml``, unresolved.
        study: its name, which the database has.
        label: of the model.
        defaults: of what is searched, by dotted name.
        deadline: of ``time.time``, after which no trial begins.
        folder: in which processes of this machine lock.
    """

    cfg: DictConfig
    study: str
    label: str
    defaults: dict[str, Any]
    deadline: float
    folder: Path


def work(job: Job) -> None:
    """Take trials and evaluate them until the study has all of them, or the time is over.

    Raises:
        SettingsError: where the database fails, or the task does not measure the objective.
    """
    cfg, settings = job.cfg, settings_of(job.cfg)
    storage = open_storage(settings.storage, retry)
    with reachable(settings.storage):
        study = optuna.load_study(study_name=job.study, storage=storage, pruner=pruner(settings))
        plain: Any = OmegaConf.to_container(cfg)
        queue = Queue(study, storage, dimensions(settings.space, plain), settings, job.folder / "search.lock")
        left = job.deadline - time.time()
        evaluator = Evaluator(cfg, settings, dataset(cfg), job.label, job.defaults, time.monotonic() + left)
        while time.time() < job.deadline and (trial := queue.take()) is not None:
            with queue.alive(trial):
                _finish(trial, evaluator)
            log.info("%s", line(study.get_trials(deepcopy=False), trial.number, settings.n_trials))


def work_in_processes(job: Job, n: int) -> None:
    """The same in several processes of this machine, which end with this one.

    Raises:
        SettingsError: where one of them ends with an error.
    """
    context = multiprocessing.get_context("spawn")
    errors = context.SimpleQueue()
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, n_threads() // n)))
    processes = [context.Process(target=_process, args=(job, errors)) for _ in range(n)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if not errors.empty():
        raise SettingsError(errors.get())
    if killed := [process.exitcode for process in processes if process.exitcode]:
        raise SettingsError(
            f"{len(killed)} of {n} processes ended with status {killed[0]}; their trials are queued again: run the "
            "same command, with a lower search.n_jobs if memory is short"
        )


def _process(job: Job, errors: Any) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    setup_globals()  # Hydra's resolvers
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        work(job)
    except Exception as error:
        errors.put(sentence(error) or traceback.format_exc())
        sys.exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _finish(trial: Trial, evaluator: Evaluator) -> None:
    """Evaluate a trial and tell the study; one that fails is marked failed, with its error."""
    try:
        values = evaluator(trial)
    except TrialPruned as pruned:
        trial.set_user_attr("reason", str(pruned))
        trial.study.tell(trial, state=TrialState.PRUNED)
    except ObjectiveError as error:
        _fail(trial, str(error))
        raise
    except Exception as error:
        _fail(trial, sentence(error) or f"{type(error).__name__}: {error}")
    else:
        trial.study.tell(trial, values)


def _fail(trial: Trial, text: str) -> None:
    trial.set_user_attr(ERROR, " ".join(text.split())[:1000])
    trial.study.tell(trial, state=TrialState.FAIL)


def line(trials: list[FrozenTrial], number: int, n_trials: int) -> str:
    """What is logged when a trial ends."""
    trial = trials[number]
    what = f"trial {number + 1}/{max(n_trials, number + 1)}: {in_words(trial.params)}"
    if trial.state == TrialState.PRUNED:
        return f"{what}: stopped, {trial.user_attrs.get('reason')}"
    if trial.state == TrialState.FAIL:
        return f"{what}: failed, {trial.user_attrs.get(ERROR)}"
    figures = ", ".join(f"{value:.4g}" for value in values_of(trial))
    return f"{what}: {figures} ({trial.user_attrs['seconds']:.1f} s)"
