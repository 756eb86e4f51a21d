"""One trial: the task evaluates the model on validation, as in any run, and reports on the way whether to go on."""

import logging
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from optuna.exceptions import TrialPruned
from optuna.study import StudyDirection
from optuna.trial import Trial

from omniretail.config import make
from omniretail.core.epoch_hooks import on_epoch
from omniretail.core.errors import DataError, SettingsError
from omniretail.dataset import Dataset
from omniretail.result import Result
from omniretail.search.sampled_users import of_users
from omniretail.search.settings import SearchSettings
from omniretail.search.space import in_words
from omniretail.search.study import COSTS
from omniretail.tasks import Evaluation
from omniretail.tracking import TrackedRun, record_evaluations, tracked

log = logging.getLogger(__name__)
SECONDS, STEPS, RUN_ID, EPOCHS = "seconds", "step_seconds", "run_id", "epochs"
"""Attributes of a trial: its duration, seconds until each step, its run, and its best number of epochs."""


class ObjectiveError(SettingsError):
    """The objective is no metric of the task: no trial can have it."""


@dataclass
class Watch:
    """Listens to a trial: reports its steps to the pruner, and stops it.

    Attributes:
        trial: of the study.
        prunes: whether the pruner is heard.
        sign: 1 where higher values of the objective are better, else -1; higher values of the monitor always are.
        deadline: of ``time.monotonic``; training ends with the epoch in which it lies.
        monitor: metric of an epoch that is reported.
    """

    trial: Trial
    prunes: bool
    sign: float
    deadline: float
    monitor: str
    started: float = field(default_factory=time.monotonic)
    epochs: dict[int, float] = field(default_factory=dict)
    steps: dict[int, float] = field(default_factory=dict)

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> bool:
        """An epoch has ended; whether the time of the search is over is returned.

        Raises:
            TrialPruned: where the pruner wants no more of the trial.
        """
        if self.monitor in metrics:
            self.epochs[epoch] = metrics[self.monitor]
            self.step(epoch, metrics[self.monitor] * self.sign)
        return time.monotonic() > self.deadline

    def step(self, step: int, value: float) -> None:
        """A step has a value; see ``epoch``."""
        self.steps[step] = time.monotonic() - self.started
        if self.prunes and math.isfinite(value):
            self.trial.report(value, step)
            if self.trial.should_prune():
                raise TrialPruned(f"worse than the median of earlier trials at step {step}")

    def note(self) -> None:
        """Write what was seen into the trial."""
        self.trial.set_user_attr(SECONDS, time.monotonic() - self.started)
        self.trial.set_user_attr(STEPS, [[step, seconds] for step, seconds in sorted(self.steps.items())])
        if self.epochs:
            self.trial.set_user_attr(EPOCHS, 1 + max(self.epochs, key=lambda epoch: self.epochs[epoch]))


@dataclass(frozen=True)
class Evaluator:
    """Evaluates trials.

    Attributes:
        cfg: composed from ``configs/search.yaml``.
        settings: its section ``search``.
        data: whole.
        label: of the model.
        defaults: of what is searched, by name; a trial's name says what differs from them.
        deadline: of ``time.monotonic``.
    """

    cfg: DictConfig
    settings: SearchSettings
    data: Dataset
    label: str
    defaults: Mapping[str, Any]
    deadline: float = math.inf

    def __call__(self, trial: Trial) -> list[float]:
        """The objectives of a trial.

        Raises:
            TrialPruned: where it was stopped.
            ObjectiveError: where the task does not measure an objective.
        """
        cfg = with_params(self.cfg, trial.params, self.settings.trials)
        several = trial.study._is_multi_objective()
        minimized = trial.study.directions[0] == StudyDirection.MINIMIZE
        by = None if several else self.settings.pruning.by
        monitor = f"val_{OmegaConf.select(cfg, 'trainer.monitor')}"
        watch = Watch(trial, by is not None, -1.0 if minimized else 1.0, self.deadline, monitor)
        changed = {name: value for name, value in trial.params.items() if value != self.defaults.get(name)}
        name = f"{self.label} {in_words(changed) or 'default'}"[:250]
        params = {name: str(value) for name, value in trial.params.items()} | {"trial": str(trial.number)}
        stopped = None
        try:
            with tracked(cfg.tracking.uri, cfg.tracking.experiment, name, params) as run:
                trial.set_user_attr(RUN_ID, run.run_id)
                try:
                    return objectives(self._tracked(cfg, watch, run, by).result, self.settings.objective)
                except TrialPruned as pruned:
                    stopped = pruned
                    run.note("pruned", str(pruned))
            run.client.set_terminated(run.run_id, "KILLED")
            raise stopped
        finally:
            watch.note()

    def _tracked(self, cfg: DictConfig, watch: Watch, run: TrackedRun, by: str | None) -> Evaluation:
        task = make(cfg.task)
        if by == "users":
            self._grow(cfg, task, watch)

        def listen(epoch: int, metrics: Mapping[str, float]) -> bool:
            run.point("val", epoch, metrics)
            return watch.epoch(epoch, metrics)

        with on_epoch(listen):
            evaluation = task.evaluate(make(cfg.model), self.data, "val")
        evaluation = replace(evaluation, result=replace(evaluation.result, run_id=run.run_id))
        with tempfile.TemporaryDirectory() as folder:
            text = OmegaConf.to_yaml(without_search(cfg), resolve=True)
            record_evaluations(run, [evaluation], text, self.data.tables, Path(folder))
        return evaluation

    def _grow(self, cfg: DictConfig, task: Any, watch: Watch) -> None:
        """Evaluate on a growing sample of users, and report each; a sample too small to judge is passed over."""
        for step, share in enumerate(self.settings.pruning.shares):
            try:
                result = task.evaluate(make(cfg.model), of_users(self.data, share), "val").result
            except (DataError, SettingsError) as error:  # a setting that is wrong is refused on all users too
                log.debug("%s of the users are too few: %s", share, error)
                continue
            watch.step(step, objectives(result, self.settings.objective)[0])


def objectives(result: Result, names: Sequence[str]) -> list[float]:
    """Values of the objectives.

    Args:
        result: of validation.
        names: metrics by key, or costs.

    Raises:
        ObjectiveError: where one was not measured, naming those that were.
        DataError: where one has no value.
    """
    values = result.values() | {name: float(value) for name, value in result.cost.items() if name in COSTS}
    for name in names:
        if name not in values:
            raise ObjectiveError(
                f"search.objective={name} is not measured by this task; there are {', '.join(sorted(values))}"
            )
    if undefined := [name for name in names if not math.isfinite(values[name])]:
        raise DataError(f"{undefined[0]} has no value on validation")
    return [values[name] for name in names]


def with_params(cfg: DictConfig, params: Mapping[str, Any], others: Mapping[str, Any] | None = None) -> DictConfig:
    """A copy of the settings with those of a trial.

    Args:
        cfg: settings, unresolved.
        params: by dotted name.
        others: further settings, nested.
    """
    copy = OmegaConf.create(cfg)
    OmegaConf.set_readonly(copy, False)
    OmegaConf.set_struct(copy, False)
    if others:
        copy.merge_with(OmegaConf.create(dict(others)))
    for name, value in params.items():
        if name.startswith("model.params.") and copy.model.params is None:
            copy.model.params = {}
        OmegaConf.update(copy, name, value)
    OmegaConf.set_struct(copy, True)
    return copy


def without_search(cfg: DictConfig) -> DictConfig:
    """The settings as a run has them."""
    return OmegaConf.masked_copy(cfg, [str(name) for name in cfg if name != "search"])
