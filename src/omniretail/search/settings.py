"""Settings of a search, the section ``search`` of the config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, OmegaConf

from omniretail.core.checks import above, at_least, one_of, require
from omniretail.core.errors import SettingsError

SAMPLERS = ("tpe", "random")
PRUNING = ("epochs", "users", None)


@dataclass(frozen=True)
class Pruning:
    """When a trial is stopped early.

    Attributes:
        by: ``epochs`` of the training, by its inner validation; ``users``, a growing sample of them; None: never.
        shares: of users in the samples, ascending, each below 1.
        after_trials: so many trials must have finished before one is stopped.
    """

    by: str | None = None
    shares: Sequence[float] = (0.1, 0.3)
    after_trials: int = 5

    def __post_init__(self) -> None:
        one_of(self, "by", PRUNING)
        at_least(self, "after_trials", low=1)
        ascending = sorted({*self.shares}) == list(self.shares) and all(0 < share < 1 for share in self.shares)
        require(self, "shares", ascending, "ascend between 0 and 1")


@dataclass(frozen=True)
class SearchSettings:
    """What is searched, for how long and by which means.

    Attributes:
        space: what is searched, nested like the settings; see ``search.space``.
        objective: metrics of validation, or costs such as ``fit_s``; the first decides between several.
        n_trials: of the study, with those of earlier commands and of other machines.
        timeout: seconds after which this command starts no further trial; None: no limit.
        n_jobs: processes on this machine.
        sampler: ``tpe`` or ``random``.
        seed: of what is drawn.
        study: name in the database; None: made from what is searched.
        storage: address of the database.
        restart: whether the trials of an earlier study of this name are forgotten.
        pruning: when a trial is stopped early.
        trials: settings of trials alone, nested.
        trial: the trial that is judged on test, by its number from 1; None: the best.
        seeds: final fits; 0: test is not looked at.
        tuned_dir: folder to which the winner's settings are written; None: they are not.
        register: name under which the winner is registered; None: it is not.

    Raises:
        SettingsError: where one is out of range.
    """

    space: Mapping[str, Any]
    objective: Sequence[str]
    n_trials: int = 40
    timeout: float | None = None
    n_jobs: int = 1
    sampler: str = "tpe"
    seed: int = 1
    study: str | None = None
    storage: str = "sqlite:///cache/search.db"
    restart: bool = False
    pruning: Pruning = field(default_factory=Pruning)
    trials: Mapping[str, Any] = field(default_factory=dict)
    trial: int | None = None
    seeds: int = 5
    tuned_dir: str | None = None
    register: str | None = None

    def __post_init__(self) -> None:
        at_least(self, "n_trials", "n_jobs", "trial", low=1)
        at_least(self, "seeds")
        above(self, "timeout")
        one_of(self, "sampler", SAMPLERS)
        require(self, "objective", bool(self.objective), "name a metric")
        require(
            self, "register", not self.register or self.seeds > 0, "be null where seeds=0, for test is not looked at"
        )


def settings_of(cfg: DictConfig) -> SearchSettings:
    """The section ``search`` of a config.

    Raises:
        SettingsError: where a setting is unknown or out of range.
    """
    section: Any = OmegaConf.to_container(cfg.search, resolve=True)
    objective = section.pop("objective")
    space = section.pop("space", None)
    if space is None:
        raise SettingsError(
            "the model has no space: write configs/search/<group>/<model>.yaml, or name here what is searched, such as "
            "'search.space.model.dim={low:8,high:128}'"
        )
    try:
        names = [objective] if isinstance(objective, str) else list(objective)
        return SearchSettings(space=space, objective=names, pruning=Pruning(**section.pop("pruning")), **section)
    except SettingsError as error:
        text = str(error).replace("SearchSettings: ", "search.").replace("Pruning: ", "search.pruning.")
        raise SettingsError(text) from None
    except TypeError as error:
        raise SettingsError(f"search: {str(error).rpartition('() ')[2]}; see python scripts/search.py --help") from None
