"""Train and evaluate one model by its task, or sweep over many: see ``--help`` and configs/train.yaml."""

import sys

import hydra
from omegaconf import DictConfig

from omniretail.commands import hydra_errors
from omniretail.config import CONFIGS, opened


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="train")
def _train(cfg: DictConfig) -> float:
    """One job: a run, or one of a sweep's. The primary metric of the last stage is returned, for Hydra's sweepers."""
    from omniretail.run import run_job  # here, so that --help does not wait for the numerical libraries

    return run_job(cfg)


def main() -> None:
    """Run the command line."""
    sys.argv = [sys.argv[0], *opened(sys.argv[1:])]
    hydra_errors.run(_train)
