"""A command that Hydra configures, whose errors are one sentence where a user can mend them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omniretail.config import CONFIGS
from omniretail.config_errors import sentence


def run(command: Callable[[], Any], configs: Path = CONFIGS) -> None:
    """Run a function of ``hydra.main``.

    Args:
        command: reads ``sys.argv``.
        configs: folder of its primary config.

    Raises:
        SystemExit: where a user can mend what is wrong.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of being printed by Hydra
    try:
        command()
    except Exception as error:
        if not (text := sentence(error, configs)):
            raise
        sys.exit(f"error: {text}")
