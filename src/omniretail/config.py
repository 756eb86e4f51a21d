"""Settings: where their yaml files are, composed, flattened for MLflow; and how commands are written."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from omniretail.core.checks import numbers
from omniretail.core.errors import USER_ERRORS, SettingsError
from omniretail.core.extras import missing_package

_INSTALLED = Path(__file__).parent / "configs"
CONFIGS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "configs"
"""The yaml files: inside the installed package, or ``configs/`` of the checkout."""


def compose(*overrides: str) -> DictConfig:
    """The settings of a run, for notebooks and programs; the command line has its own way to the same ones.

    >>> compose("source=gowalla", "model=recommender/popular").dataset
    'gowalla'
    """
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("train", overrides=opened(overrides))


def opened(overrides: Iterable[str]) -> list[str]:
    """Let ``model.params.x=1`` set what no yaml lists; Hydra itself asks for pluses in front.

    The model knows which names are right and refuses the others.

    >>> opened(["model.params.n_layers=2", "model.name=LightGCN"])
    ['++model.params.n_layers=2', 'model.name=LightGCN']
    """
    return [f"++{each}" if each.startswith("model.params.") else each for each in overrides]


def make(section: DictConfig) -> Any:
    """The object that a section's ``_target_`` names.

    Raises:
        SettingsError: where a setting is refused, in the words of the class that refuses it, or a package is missing.
    """
    try:
        made = instantiate(section, _convert_="all")  # library code never sees a DictConfig
    except OmegaConfBaseException as error:
        raise SettingsError(str(error).splitlines()[0]) from error
    except InstantiationException as error:
        raise _refusal(error) from error
    numbers(made)
    return made


def _refusal(error: InstantiationException) -> BaseException:
    """What the class itself says, without Hydra's words around it; a fault of its code as it is."""
    cause = error.__cause__
    if absent := missing_package(error):
        return SettingsError(absent)
    if isinstance(cause, USER_ERRORS):
        return type(cause)(str(cause))
    if isinstance(cause, ValueError | TypeError):  # how classes of other packages refuse their arguments
        return SettingsError(
            str(cause).replace(".__init__() got an unexpected keyword argument", ": there is no setting")
        )
    if cause is None or isinstance(cause, ImportError):
        return SettingsError(str(error).splitlines()[0].partition(", set env var")[0])
    return cause


def flat(cfg: DictConfig) -> dict[str, str]:
    """Every setting under its dotted name, as one writes it on the command line."""

    def walk(node: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from walk(value, f"{path}.{key}" if path else str(key))
        else:
            yield path, str(node)

    chosen = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(chosen, dict)
    unshown = ("metrics", "report", "outputs", "tracking")
    return dict(walk({name: value for name, value in chosen.items() if name not in unshown}, ""))


def command(name: str) -> str:
    """How to call a program of this environment from the present folder."""
    beside = Path(sys.executable).parent / name
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else name


def model_option(model: type) -> str | None:
    """The file of ``configs/model`` that makes a class, as it is written after ``model=``; None where there is none.

    >>> from omniretail.models.recommenders.popular import Popular
    >>> model_option(Popular)
    'recommender/popular'
    """
    folder = CONFIGS / "model"
    for path in sorted(folder.rglob("*.yaml")):
        module, _, name = _target(path).rpartition(".")
        if name == model.__name__ and f"{model.__module__}.".startswith(f"{module}."):
            return path.relative_to(folder).with_suffix("").as_posix()
    return None


def _target(path: Path) -> str:
    """The class that a model's yaml makes; parts inside it have targets of their own."""
    match = re.search(r"^(?:  )?_target_: (\S+)", path.read_text(), re.MULTILINE)
    return match[1] if match else ""
