"""What is wrong with the settings or the data as one sentence, with the nearest right names."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from omniretail.config import CONFIGS, missing_package
from omniretail.core.errors import USER_ERRORS


def sentence(error: BaseException, configs: Path = CONFIGS) -> str:
    """What a user can mend, as one line; empty for a fault of the code, which shows its traceback.

    Args:
        error: of Hydra, of a setting, of the data, or of a package that is not installed.
        configs: folder of the command's primary config.
    """
    if isinstance(error, HydraException) and not isinstance(error, InstantiationException):
        return _hydra_sentence(error, configs)
    if isinstance(error, (*USER_ERRORS, OmegaConfBaseException)):
        return " ".join(str(error).split())
    return missing_package(error)


def _hydra_sentence(error: HydraException, configs: Path) -> str:
    """Without Hydra's own hints."""
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
    return (f"; did you mean {dotted}? There" if close else "; there") + f" are {', '.join(names)}"


def _no_such_option(wanted: str | Iterable[str], configs: Path) -> str:
    """The group, and the options that it has."""
    path = Path(wanted if isinstance(wanted, str) else next(iter(wanted))).with_suffix("")
    if path.parts[0] == "hydra":
        kind, name = "/".join(path.parts[:-1]), path.name
        plugin = f": pip install hydra-{name}-{path.parts[1]}" if path.parts[1] in ("launcher", "sweeper") else ""
        return f"there is no {kind}={name}{plugin}"
    group = path.parts[0] if len(path.parts) > 1 else ""
    option = path.relative_to(group).as_posix() if group else path.as_posix()
    folder = configs / group
    options = sorted(each.relative_to(folder).with_suffix("").as_posix() for each in folder.rglob("*.yaml"))
    same_name = [each for each in options if each.rpartition("/")[2] == option]
    close = same_name or difflib.get_close_matches(option, options, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(f'{group}={each}' for each in close)}?" if close else ""
    return f"there is no {group}={option}; {hint or 'there are ' + ', '.join(options)}"
