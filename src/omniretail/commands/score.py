"""Answer a file of requests with a registered model: see ``--help`` and configs/registry/score.yaml."""

import os
import sys
import time
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from omniretail.commands import hydra_errors, jobs
from omniretail.commands.text_settings import quoted
from omniretail.config import CONFIGS
from omniretail.core.errors import USER_ERRORS


@hydra.main(version_base="1.3", config_path=str(CONFIGS / "registry"), config_name="score")
@jobs.going_on
def _score(cfg: DictConfig) -> None:
    if missing := sorted(OmegaConf.missing_keys(cfg)):
        sys.exit(f"error: {' and '.join(f'{name}=' for name in missing)} must be set; see --help")
    if not isinstance(cfg.rows, int):
        sys.exit(f"error: rows={cfg.rows} is no whole number from 1 on")
    from omniretail.serving.batch_file import answer_file  # here, so that --help does not wait for them
    from omniretail.serving.load_registered import load_registered
    from omniretail.tracking import open_store

    try:
        open_store(cfg.uri)
        loaded = load_registered(cfg.uri, cfg.model)
        start = time.perf_counter()
        n = answer_file(loaded.service, loaded.digest, Path(cfg.input), Path(cfg.output), cfg.rows)
    except (*USER_ERRORS, OSError) as error:
        sys.exit(f"error: {error}")
    seconds = time.perf_counter() - start
    print(f"{n:,} requests answered by {loaded.version} in {seconds:.1f} s ({n / seconds:,.0f} a second)")
    print(f"output={cfg.output}")


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where something is wrong that the user can mend, with one sentence.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a server that is down is reported within seconds
    sys.argv = [sys.argv[0], *quoted(sys.argv[1:], ("model", "input", "output", "uri"))]
    hydra_errors.run(_score, CONFIGS / "registry")
    jobs.end()
