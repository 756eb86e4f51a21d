"""Search a model's hyper-parameters by its task: see ``--help`` and configs/search.yaml."""

import sys
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from omniretail.commands import hydra_errors, jobs
from omniretail.config import CONFIGS, opened
from omniretail.config_errors import sentence
from omniretail.core.credentials import hide


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="search")
@jobs.going_on
def _search(cfg: DictConfig) -> float:
    """One search; the best objective on validation is returned, for Hydra's sweepers."""
    from omniretail.search.search import Search  # here, so that --help does not wait for the numerical libraries

    job = HydraConfig.get()
    choices: Any = job.runtime.choices
    words = [word for word in job.overrides.task if not word.lstrip("+~").startswith("tuned")]
    untuned = hydra.compose(job.job.config_name, overrides=[*job.overrides.hydra, *words, "~tuned"])
    try:
        return Search(untuned, cfg, str(choices["model"])).run()
    except Exception as error:
        if not (text := sentence(error)):
            raise
        sys.exit(f"error: {hide(text)}")


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where the user can mend what is wrong.
    """
    sys.argv = [sys.argv[0], *(_opened(word) for word in opened(sys.argv[1:]))]
    hydra_errors.run(_search)
    jobs.end()


def _opened(word: str) -> str:
    """Let ``search.space.model.x.high=1`` set what the space does not list."""
    return f"++{word}" if word.startswith("search.space.") else word
