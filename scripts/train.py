"""Train and judge one model, or sweep over many: see ``--help`` and configs/train.yaml."""

import logging
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from omniretail.config import opened

log = logging.getLogger(__name__)


@hydra.main(version_base="1.3", config_path="../configs", config_name="train")
def main(cfg: DictConfig) -> None:
    """One job: a run, or one of a sweep's."""
    from omniretail.run import USER_ERRORS, run  # here, so that --help does not wait for the numerical libraries

    try:
        print(f"run_id={run(cfg)[0].run_id}")
    except USER_ERRORS as error:
        message = f"error: {error}"
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            log.error(message)  # the sweep goes on, and its report names the runs that failed
        else:
            sys.exit(message)


if __name__ == "__main__":
    sys.argv = [sys.argv[0], *opened(sys.argv[1:])]
    main()
