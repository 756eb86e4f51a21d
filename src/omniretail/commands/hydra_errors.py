"""Hydra's errors as one sentence with the nearest names, for every command that Hydra configures."""

import difflib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from omniretail.config import CONFIGS


def run(command: Callable[[], Any], configs: Path = CONFIGS) -> None:
    """Run a function of ``hydra.main``; a mistake in the settings ends in one sentence.

    Args:
        command: reads ``sys.argv``.
        configs: folder of its primary config.

    Raises:
        SystemExit: where the settings cannot be composed.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of being printed by Hydra
    try:
        command()
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(f"error: {sentence(error, configs)}")


def sentence(error: BaseException, configs: Path = CONFIGS) -> str:
    """What is wrong and the nearest right names, without Hydra's own hints."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _no_such_option(error.missing_cfg_file, configs)
    cause = error.__cause__
    key, container = getattr(cause, "full_key", None), getattr(cause, "parent_node", None)
    if key and container is not None:
        name = str(key).rpartition(".")[2]
        return f"there is no setting {key}{nearest(name, map(str, container), str(key).rpartition('.')[0])}"
    return " ".join(str(error).split("\nSet the environment")[0].split())


def nearest(name: str, choices: Iterable[str], prefix: str = "") -> str:
    """What to write instead, as the end of a sentence.

    >>> nearest("lambda_2", ["lambda_1", "k"], "model")
    '; did you mean model.lambda_1? There are k, lambda_1'
    """
    names = sorted(choice for choice in set(choices) if not choice.startswith("_"))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    dotted = f"{prefix}.{close[0]}" if close and prefix else "".join(close)
    return (f"; did you mean {dotted}?" if close else ";") + f" There are {', '.join(names)}"


def _no_such_option(wanted: str | Iterable[str], configs: Path) -> str:
    """The group, and the options that it has."""
    path = Path(wanted if isinstance(wanted, str) else next(iter(wanted))).with_suffix("")
    group = path.parts[0] if len(path.parts) > 1 else ""
    option = path.relative_to(group).as_posix() if group else path.as_posix()
    folder = configs / group
    options = sorted(each.relative_to(folder).with_suffix("").as_posix() for each in folder.rglob("*.yaml"))
    same_name = [each for each in options if each.rpartition("/")[2] == option]
    close = same_name or difflib.get_close_matches(option, options, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(f'{group}={each}' for each in close)}?" if close else ""
    return f"there is no {group}={option}; {hint or 'there are ' + ', '.join(options)}"
