"""What a sweep needs is checked before its first job."""

from collections.abc import Iterator

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from omniretail.run import checked


def check_jobs(config: DictConfig) -> None:
    """Compose and check jobs until every value that is swept has been in one.

    Sweeps whose values are drawn one after another, as in a search, are left to their sweeper.

    Raises:
        SettingsError: where a job would refuse its settings.
        ConfigCompositionException: where a job names an option or a setting that does not exist.
    """
    if not config.hydra.sweeper._target_.endswith("BasicSweeper"):
        return
    loader = GlobalHydra.instance().config_loader()
    words = [f"{name}={value}" for name, value in (config.hydra.sweeper.params or {}).items()]
    words += config.hydra.overrides.task
    for overrides in covering(OverridesParser.create(loader).parse_overrides(words)):
        checked(loader.load_sweep_config(config, overrides))


def covering(overrides: list[Override]) -> Iterator[list[str]]:
    """Overrides of the fewest first jobs in which every swept value occurs."""
    covered: set[str] = set()
    for job in (job for batch in BasicSweeper.split_arguments(overrides, None) for job in batch):
        if not covered.issuperset(job):
            covered |= {*job}
            yield job
