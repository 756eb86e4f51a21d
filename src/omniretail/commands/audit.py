"""Does anything after a cutoff reach a view? See ``--help`` and configs/audit.yaml."""

import sys

import hydra
from omegaconf import DictConfig

from omniretail.commands import hydra_errors
from omniretail.config import CONFIGS
from omniretail.core.errors import LeakError


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="audit")
def _audit(cfg: DictConfig) -> None:
    from omniretail.commands import audit_run  # here, so that --help does not wait for the numerical libraries

    audit_run.run_audit(cfg)


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where a view leaks, or something is wrong that the user can mend; with one sentence.
    """
    sys.argv = [sys.argv[0], *(f"++{each}" if each.startswith("audit.views.") else each for each in sys.argv[1:])]
    try:
        hydra_errors.run(_audit)
    except LeakError as error:
        sys.exit(f"error: {error}")
