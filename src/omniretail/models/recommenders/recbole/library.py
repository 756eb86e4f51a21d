"""RecBole itself, brought in when first needed and kept from writing anywhere."""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from omniretail.models.recommenders.recbole.containment import contained

_QUIET = logging.Logger("recbole", logging.CRITICAL)  # of nobody's family: RecBole speaks to the root logger


class RecBoleAbsentError(ValueError):
    """RecBole cannot be used in this environment; everything else can."""


def require_recbole() -> Path:
    """The folder where RecBole is installed, found without importing it.

    Raises:
        RecBoleAbsentError: where it is not installed, saying how to get it.
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
    """A module of RecBole, such as ``trainer``; the first call takes the whole library in hand.

    Raises:
        RecBoleAbsentError: where RecBole is not installed.
    """
    require_recbole()
    with contained():
        loaded = importlib.import_module(f"recbole.{name}")
        _hold_back()
    return loaded


def torch() -> Any:
    """The module torch, which RecBole brings with it."""
    return importlib.import_module("torch")


def _hold_back() -> None:
    """Replace, in RecBole's own modules and nowhere else, what writes files or speaks to the root logger."""
    for name, loaded in list(sys.modules.items()):
        if name == "recbole" or name.startswith("recbole."):
            for attribute in _REPLACED.keys() & vars(loaded).keys():
                setattr(loaded, attribute, _REPLACED[attribute])


def _quiet_logger(name: str | None = None) -> logging.Logger:
    return _QUIET


def _ignore(*arguments: object) -> None:
    return None


def _as_it_is(scores: Any) -> Any:
    return scores


def _no_tensorboard(logger: object) -> "_Nowhere":
    return _Nowhere()


class _Nowhere:
    """A TensorBoard writer that writes nothing."""

    def __getattr__(self, name: str) -> Any:
        return _ignore_all


def _ignore_all(*arguments: object, **named: object) -> None:
    return None


_REPLACED: Mapping[str, Callable] = {
    "getLogger": _quiet_logger,
    "ensure_dir": _ignore,
    "get_tensorboard": _no_tensorboard,
    "add_noise": _as_it_is,  # ADMMSLIM's, to break ties: two calls would give two rankings
}
