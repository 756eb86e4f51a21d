"""Jobs of a command under ``-m``: the others go on where one fails, and the command ends with status 1 and a list."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

_FAILURES: list[str] = []


def going_on(job: Callable[[DictConfig], Any]) -> Callable[[DictConfig], Any]:
    """A job that ends a command of its own by ``sys.exit``, and among others is noted as failed."""

    @wraps(job)
    def run(cfg: DictConfig) -> Any:
        try:
            return job(cfg)
        except SystemExit as end:
            if HydraConfig.get().mode != RunMode.MULTIRUN:
                raise
            print(end.code, file=sys.stderr)
            _FAILURES.append(f"{' '.join(HydraConfig.get().overrides.task)}: {end.code}")
            return None

    return run


def end() -> None:
    """End the command.

    Raises:
        SystemExit: where jobs have failed, with a line for each.
    """
    failures = _FAILURES.copy()
    _FAILURES.clear()
    if failures:
        sys.exit("\n".join([f"error: {len(failures)} of the jobs failed:", *failures]))
