"""The winner of a search: fitted once per seed, judged on test, written down and registered."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from optuna.study import Study
from optuna.trial import FrozenTrial

from omniretail.config import make
from omniretail.core.errors import MissingError
from omniretail.registry.register import register
from omniretail.result import Result
from omniretail.run import run_with_page
from omniretail.search.evaluate import EPOCHS, with_params, without_search
from omniretail.search.settings import SearchSettings
from omniretail.search.study import objective_names, values_of
from omniretail.tasks import seed_of
from omniretail.tracking import load_result

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Winner:
    """The settings that validation prefers.

    Attributes:
        trial: of the study.
        params: its settings by dotted name, with the number of epochs that the inner validation preferred.
    """

    trial: FrozenTrial
    params: Mapping[str, Any]


def winner_of(trial: FrozenTrial) -> Winner:
    """The settings with which a trial's model is fitted for good.

    Trials whose epochs were ended by an inner validation are fitted with their best number of epochs, on all events.
    """
    epochs = trial.user_attrs.get(EPOCHS)
    return Winner(trial, {**trial.params, **({"trainer.max_epochs": epochs} if epochs else {})})


def judge(cfg: DictConfig, settings: SearchSettings, study: Study, winner: Winner) -> list[Result]:
    """Fit the winner on all that lies before the test cutoff, once per seed, and evaluate it on test.

    A fit that an earlier command has finished is read back. A model without random numbers is fitted once.

    Returns:
        One result per seed; none where ``seeds`` is 0.
    """
    first = int(cfg.seed)
    seeds = list(range(first, first + settings.seeds))
    if len(seeds) > 1 and _seed(cfg, seeds[0]) == _seed(cfg, seeds[1]):
        log.info("nothing in the model is random, so it is fitted once")
        seeds = seeds[:1]
    return [_judged(cfg, settings, study, winner, seed, saves=seed == first) for seed in seeds]


def write_settings(path: Path, winner: Winner, study: Study, default: float | None) -> None:
    """Write the winner's settings as ``configs/tuned`` has them, which runs on the dataset then take by themselves.

    Args:
        path: the file.
        winner: what is written.
        study: it comes from.
        default: objective of the model's defaults; None: they have not finished.
    """
    objective = objective_names(study)[0]
    against = "" if default is None else f", against {default:.4f} with the default"
    head = (
        f"# @package _global_\n# Validation {objective} {values_of(winner.trial)[0]:.4f}{against}; trial "
        f"{winner.trial.number + 1} of {len(study.get_trials(deepcopy=False))} in the search {study.study_name}.\n"
    )
    nested = OmegaConf.create({})
    for name, value in winner.params.items():
        OmegaConf.update(nested, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + yaml.safe_dump(OmegaConf.to_container(nested), sort_keys=False), encoding="utf-8")


def registered(cfg: DictConfig, name: str, results: Sequence[Result]) -> str:
    """Register the first fit, and say how to promote it."""
    version = register(cfg.tracking.uri, results[0].run_id, name)
    promote = f"python scripts/export.py action=promote name={name} version={version}"
    return f"registered as {name}, version {version}; make it the champion with: {promote}"


def _seed(cfg: DictConfig, seed: int) -> int:
    return seed_of(make(with_params(cfg, {"seed": seed}).model))


def _judged(cfg: DictConfig, settings: SearchSettings, study: Study, winner: Winner, seed: int, saves: bool) -> Result:
    """The result of one fit, which the study remembers."""
    place = f"judged/{winner.trial.number}/{seed}"
    if run_id := study.user_attrs.get(place):
        try:
            return load_result(cfg.tracking.uri, run_id, "test")
        except MissingError:
            log.info("run %s is gone, so the winner is fitted again", run_id)
    final = with_params(without_search(cfg), {**winner.params, "seed": seed})
    OmegaConf.update(final, "evaluate", ["test"])
    OmegaConf.update(final, "tracking.save_model", bool(saves and cfg.tracking.save_model))
    result = run_with_page(final).results[-1]
    study.set_user_attr(place, result.run_id)
    return result
