"""Register what a run has learned, and decide which version serves: see ``--help`` and configs/registry/export.yaml."""

import os
import shlex
import sys
from collections.abc import Sequence

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from omniretail.commands import hydra_errors, jobs
from omniretail.commands.text_settings import quoted
from omniretail.config import CONFIGS, make
from omniretail.core.errors import USER_ERRORS

_VERBS = ("promote", "rollback", "history", "onnx", "embeddings")
_TEXT = ("run_id", "name", "version", "force", "against", "model", "to", "uri")


@hydra.main(version_base="1.3", config_path=str(CONFIGS / "registry"), config_name="export")
@jobs.going_on
def _export(cfg: DictConfig) -> None:
    from mlflow.exceptions import MlflowException  # here, so that --help does not wait for MLflow

    from omniretail.registry.actions import perform

    settings = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(settings, dict)
    named = [word.partition("=")[0].lstrip("+~") for word in HydraConfig.get().overrides.task]
    try:
        refusal = perform({str(k): v for k, v in settings.items() if k != "gate"}, named, lambda: make(cfg.gate))
    except (*USER_ERRORS, OSError, MlflowException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    if refusal:
        sys.exit(refusal)


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where the gate refuses a version, or something is wrong that the user can mend; with one sentence.
    """
    words = sys.argv[1:]
    if any(word in _VERBS or word.startswith("--force") for word in words):
        sys.exit(f"error: settings are written name=value: {' '.join(map(shlex.quote, _as_settings(words)))}")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a server that is down is reported within seconds
    sys.argv = [sys.argv[0], *quoted(words, _TEXT)]
    hydra_errors.run(_export, CONFIGS / "registry")
    jobs.end()


def _as_settings(words: Sequence[str]) -> list[str]:
    """The command of version 0.1, ``promote … --force "reason"``, as it is written now."""
    parts = [part for word in words for part in (word.split("=", 1) if word.startswith("--force=") else [word])]
    settings, rest = [], iter(parts)
    for word in rest:
        if word == "--force":
            settings.append(f"force={next(rest, 'reason')}")
        else:
            settings.append(f"action={word}" if word in _VERBS else word)
    return ["python", "scripts/export.py", *settings]
