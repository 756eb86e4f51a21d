"""A search from its settings to its winner: trials on validation, then the best of them on test."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from optuna.study import Study

from omniretail.config import flat, make
from omniretail.dataset import Dataset
from omniretail.run import checked, dataset
from omniretail.search.ending import Ending
from omniretail.search.parent_run import parent_run
from omniretail.search.settings import SearchSettings, settings_of
from omniretail.search.space import Dimension, dimensions, value_at
from omniretail.search.storage import open_storage, reachable
from omniretail.search.study import best_of, enqueue, identity_of, open_study, values_of
from omniretail.search.trials import retry
from omniretail.search.worker import Job, work, work_in_processes
from omniretail.tasks import model_name, protocol_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """What is searched.

    Attributes:
        cfg: composed from ``configs/search.yaml`` without ``configs/tuned``.
        tuned: the same with it: settings that validation preferred before, tried after the model's defaults.
        model: as it is written after ``model=``.
    """

    cfg: DictConfig
    tuned: DictConfig
    model: str

    def run(self) -> float:
        """Search, judge the winner on test, print what was found; the best objective on validation is returned.

        Raises:
            DataError: where the data cannot be used as it is.
            SettingsError: where settings do not fit, the study is one of other data, its database fails, or no trial
                has finished.
        """
        settings = settings_of(self.cfg)
        space = dimensions(settings.space, _plain(self.cfg))
        checked(self.cfg)
        storage = open_storage(settings.storage, retry)
        data = dataset(self.cfg)
        with reachable(settings.storage):
            study = open_study(
                storage,
                self.study_name(settings),
                settings.objective,
                self.identity(data, space, settings),
                settings.restart,
            )
            starts = [_plain(self.cfg), _plain(self.tuned)]
            enqueue(study, space, starts)
            name = f"search {self.label} on {self.cfg.dataset}"
            where = self.cfg.tracking
            with parent_run(where.uri, where.experiment, name, _params(self.cfg), study) as parent:
                self._trials(settings, space, study, starts[0])
                if parent.own:
                    return Ending(self.cfg, self.model, self.label, settings, space, study, data, parent.run).finish()
        print(f"the winner is judged by the command that began this search\nrun_id={parent.run.run_id}", flush=True)
        return values_of(best_of(study))[0]

    @property
    def label(self) -> str:
        """Name of the model, for people."""
        name = self.cfg.model.get("name")
        return " ".join([model_name(make(self.cfg.model)), *([name] if name else [])])

    def study_name(self, settings: SearchSettings) -> str:
        """Of the database's study."""
        task = self.cfg.task._target_.rpartition(".")[2]
        made = f"{self.cfg.dataset} {task} {self.model} {'+'.join(settings.objective)} {settings.sampler}"
        return settings.study or made.replace(" ", "-")

    def identity(self, data: Dataset, space: Sequence[Dimension], settings: SearchSettings) -> dict[str, str]:
        """See ``identity_of``."""
        task = make(self.cfg.task)
        protocol = protocol_of(task, type(task).__name__, data, "val")
        of_model = {name: value for name, value in flat(self.cfg).items() if name.startswith(("model.", "trainer."))}
        unread = ("trainer.checkpoint", "model.training.checkpoint")
        fixed = {name: value for name, value in of_model.items() if not name.startswith(unread)}
        fixed = {name: value for name, value in fixed.items() if not name.startswith("model.training.")}
        return identity_of(protocol, fixed | {"search.trials": str(dict(settings.trials))}, space, settings.objective)

    def _trials(
        self, settings: SearchSettings, space: Sequence[Dimension], study: Study, defaults: Mapping[str, Any]
    ) -> None:
        if settings.pruning.by and len(settings.objective) > 1:
            log.warning("trials are not pruned, since there are several objectives")
        deadline = time.time() + (settings.timeout or math.inf)
        values = {each.name: value_at(defaults, each.name) for each in space}
        job = Job(self.cfg, study.study_name, self.label, values, deadline, Path(self.cfg.cache_dir))
        if settings.n_jobs > 1:
            work_in_processes(job, settings.n_jobs)
        else:
            work(job)


def _plain(cfg: DictConfig) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(cfg, resolve=True)
    return plain


def _params(cfg: DictConfig) -> dict[str, str]:
    """What the run above the trials records: the settings of the search, the data and the model."""
    names = ("search.", "dataset", "model._target_", "seed")
    return {name: value for name, value in flat(cfg).items() if name.startswith(names)}
