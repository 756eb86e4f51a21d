"""Imports RecBole when it is first needed, and keeps it from writing files or logs."""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from omniretail.core.errors import SettingsError
from omniretail.models.recommenders.recbole.containment import contained

_QUIET = logging.Logger("recbole", logging.CRITICAL)  # outside the hierarchy: RecBole configures the root logger


class RecBoleAbsentError(SettingsError):
    """RecBole cannot be used in this environment; everything else can."""


def require_recbole() -> Path:
    """The folder where RecBole is installed, without importing it.

    Raises:
        RecBoleAbsentError: where it is not installed, with the command that installs it.
    """
    spec = importlib.util.find_spec("recbole")
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0])
    if sys.version_info >= (3, 12):
        raise RecBoleAbsentError(
            f"RecBole cannot be installed on Python {sys.version_info[0]}.{sys.version_info[1]}: it pins a version "
            "of ray that has no build above Python 3.11; use Python 3.11 for its models, all others work here"
        )
    raise RecBoleAbsentError("RecBole is not installed; install it with: pip install 'omniretail[train,recbole]'")


@cache
def module(name: str) -> ModuleType:
    """A module of RecBole, such as ``trainer``, with its writers of files and logs replaced.

    Raises:
        RecBoleAbsentError: where RecBole is not installed.
    """
    require_recbole()
    with contained():
        loaded = importlib.import_module(f"recbole.{name}")
        _replace_writers()
    return loaded


def torch() -> Any:
    """The module torch, which RecBole brings with it."""
    return importlib.import_module("torch")


def _replace_writers() -> None:
    """Replace functions that write files or configure the root logger, in RecBole's own modules only."""
    for name, loaded in list(sys.modules.items()):
        if name == "recbole" or name.startswith("recbole."):
            for attribute in _REPLACED.keys() & vars(loaded).keys():
                setattr(loaded, attribute, _REPLACED[attribute])


def _quiet_logger(name: str | None = None) -> logging.Logger:
    return _QUIET


def _ignore(*arguments: object) -> None:
    return None


def _unchanged(scores: Any) -> Any:
    return scores


def _no_tensorboard(logger: object) -> "_NullWriter":
    return _NullWriter()


class _NullWriter:
    """A TensorBoard writer that writes nothing."""

    def __getattr__(self, name: str) -> Any:
        return _ignore_all


def _ignore_all(*arguments: object, **named: object) -> None:
    return None


_REPLACED: Mapping[str, Callable] = {
    "getLogger": _quiet_logger,
    "ensure_dir": _ignore,
    "get_tensorboard": _no_tensorboard,
    "add_noise": _unchanged,  # ADMMSLIM's, to break ties: two calls would give two rankings
}
