"""Shell completion of options in folders and in lists, as in ``model=recommender/ease,recommender/sl``."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path


def completed(words: Sequence[str], configs: Path) -> bool:
    """Answer a shell that asks for options of a group; False where Hydra is to answer, or nobody asks.

    Args:
        words: of the command line; ``-sc query=bash`` asks.
        configs: folder of the command's primary config.
    """
    shell = next((word.removeprefix("query=") for word in words if word.startswith("query=")), None)
    if shell is None or not (matches := options(os.environ.get("COMP_LINE", ""), configs)):
        return False
    print(("\n" if shell == "fish" else " ").join(matches))
    return True


def options(line: str, configs: Path) -> list[str]:
    """What the last word of a line can become, where it names a group of options; empty where it does not.

    >>> from omniretail.config import CONFIGS
    >>> options("python scripts/train.py model=recommender/eas", CONFIGS)
    ['model=recommender/ease']
    """
    words = line.split()
    group, mark, value = (words[-1] if words and not line[-1].isspace() else "").partition("=")
    if not mark:
        return []
    before, comma, beginning = value.rpartition(",")
    chosen = before.split(",")
    names = {
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in (configs, *_own_folders(words))
        for path in (folder / group).rglob("*.yaml")
    }
    return [
        f"{group}={before}{comma}{name}" for name in sorted(names) if name.startswith(beginning) and name not in chosen
    ]


def _own_folders(words: Sequence[str]) -> list[Path]:
    return [Path(after) for word, after in pairwise(words) if word in ("--config-dir", "-cd")]
