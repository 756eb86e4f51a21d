"""A command that Hydra configures, whose errors are one sentence where a user can mend them."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omniretail.commands.shell_completion import completed
from omniretail.config import CONFIGS
from omniretail.config_errors import sentence
from omniretail.core.credentials import hide, hide_in_command
from omniretail.core.threads import limit_thread_pools


def run(command: Callable[[], Any], configs: Path = CONFIGS) -> None:
    """Run a function of ``hydra.main``.

    Args:
        command: reads ``sys.argv``.
        configs: folder of its primary config.

    Raises:
        SystemExit: where a user can mend what is wrong.
    """
    if completed(sys.argv[1:], configs):
        return
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of being printed by Hydra
    sys.argv = [sys.argv[0], *hide_in_command(sys.argv[1:])]
    limit_thread_pools()
    refuse_dotted_plugins(sys.argv[1:])
    sys.argv = [sys.argv[0], *flags_first(sys.argv[1:])]
    try:
        command()
    except Exception as error:
        if not (text := sentence(error, configs)):
            raise
        sys.exit(f"error: {hide(text)}")


def flags_first(words: Sequence[str]) -> list[str]:
    """The words with ``-m`` at the front: argparse takes no settings on both sides of a flag.

    >>> flags_first(["model=recommender/ease", "-m", "model.l2=10,100"])
    ['-m', 'model=recommender/ease', 'model.l2=10,100']
    """
    flags = [word for word in words if word in ("-m", "--multirun")]
    return [*flags[:1], *(word for word in words if word not in flags)]


def refuse_dotted_plugins(words: Sequence[str]) -> None:
    """Name the right setting where a launcher or a sweeper is chosen as if it were a value.

    Raises:
        SystemExit: where one is.
    """
    for word in words:
        name, mark, value = word.partition("=")
        if mark and name in ("hydra.launcher", "hydra.sweeper"):
            sys.exit(f"error: {word} must be written with a slash: {name.replace('.', '/')}={value}")
