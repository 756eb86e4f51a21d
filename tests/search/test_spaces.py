"""Every model has a space, whose names exist and whose first trial is the model's default."""

from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf

from omniretail.config import CONFIGS, make
from omniretail.core.errors import SettingsError
from omniretail.search.evaluate import with_params
from omniretail.search.settings import PRUNING
from omniretail.search.space import Dimension, dimensions, value_at
from omniretail.search.study import enqueue
from tests.conftest import composed
from tests.search.conftest import composed_search
from tests.test_configs import options

MODELS = options("model")


def test_there_is_a_space_for_each_model_and_for_nothing_else() -> None:
    assert options("search") == MODELS


@pytest.mark.parametrize("model", MODELS)
def test_names_exist_and_the_first_trial_is_the_default(model: str) -> None:
    cfg = OmegaConf.create(composed(f"model={model}", "source=simulate"), flags={"readonly": False})
    settings: Any = OmegaConf.to_container(cfg, resolve=True)
    section: Any = OmegaConf.to_container(OmegaConf.load(CONFIGS / "search" / f"{model}.yaml"))
    space = dimensions(section["space"], settings)
    assert {*section} <= {"space", "pruning", "trials"}
    assert section["pruning"]["by"] in PRUNING
    study = optuna.create_study()
    enqueue(study, space, [settings])
    trial = study.ask({each.name: each.distribution() for each in space})
    assert trial.params == {each.name: value_at(settings, each.name) for each in space}
    assert {f"trainer.{name}" for name in section.get("trials", {}).get("trainer", {})} <= _names(settings)
    needed = OmegaConf.masked_copy(cfg, ["model", "trainer", "seed", "source", "split", "window_end", "cache_dir"])
    for dimension in space:
        _require_ends_are_allowed(needed, dimension)


def test_the_command_finds_the_space_of_its_model() -> None:
    cfg = composed_search("model=recommender/sasrec", "source=beauty")
    assert cfg.search.space.model.n_blocks.high == 3
    assert cfg.search.trials.trainer.patience == 3
    assert cfg.search.pruning.by == "epochs"
    assert composed_search("model=recommender/ease").search.objective == "ndcg_at_10"
    assert composed_search("model=uplift/t_learner", "source=simulate").search.space.model.model.max_depth.low == 1


def _names(settings: dict[str, Any]) -> set[str]:
    return {f"trainer.{name}" for name in settings["trainer"]}


def _require_ends_are_allowed(cfg: Any, dimension: Dimension) -> None:
    """A model takes both ends of its space."""
    for value in dimension.choices or (dimension.low, dimension.high):
        try:
            make(with_params(cfg, {dimension.name: value}).model)
        except SettingsError as error:
            pytest.fail(f"{dimension.place}={value}: {error}")
