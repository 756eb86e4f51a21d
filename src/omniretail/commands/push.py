"""Send a run that was saved locally, because its tracking server was down, to that server: see ``--help``."""

import shlex
import sys

import hydra
from omegaconf import DictConfig, OmegaConf

from omniretail.commands import hydra_errors, jobs
from omniretail.commands.text_settings import quoted
from omniretail.config import CONFIGS
from omniretail.core.errors import USER_ERRORS


@hydra.main(version_base="1.3", config_path=str(CONFIGS / "registry"), config_name="push")
@jobs.going_on
def _push(cfg: DictConfig) -> None:
    if OmegaConf.missing_keys(cfg) or not cfg.to:
        sys.exit(
            "error: name the run and the server: run_id=<id> to=http://…; MLFLOW_TRACKING_URI is the default of to"
        )
    from omniretail.tracking import push  # here, so that --help does not wait for MLflow

    try:
        print(f"run_id={push(str(cfg.run_id), cfg.source, cfg.to)}")
    except (*USER_ERRORS, ConnectionError) as error:
        sys.exit(f"error: {error}")


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where something is wrong that the user can mend, with one sentence.
    """
    words = sys.argv[1:]
    if words and not {"=", "-"} & set(words[0]):
        settings = f"run_id={shlex.quote(words[0])} to=http://…"
        sys.exit(f"error: settings are written name=value: python scripts/push.py {settings}")
    sys.argv = [sys.argv[0], *quoted(words, ("run_id", "to", "source"))]
    hydra_errors.run(_push, CONFIGS / "registry")
    jobs.end()
