"""Hydra's copies of the settings, without credentials that a yaml file holds."""

from pathlib import Path

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from omniretail.core.credentials import hide


class HideCredentials(Callback):
    """Hydra's hook that rewrites ``.hydra/*.yaml`` and ``multirun.yaml`` before the job begins."""

    def on_job_start(self, config: DictConfig, **kwargs: object) -> None:
        """Rewrite the copies of this job and of its sweep."""
        folder, sweep = Path(config.hydra.runtime.output_dir), Path(config.hydra.sweep.dir)
        copies = folder.glob(f"{config.hydra.output_subdir}/*.yaml") if config.hydra.output_subdir else ()
        for path in [*copies, *sweep.glob("multirun.yaml")]:
            text = path.read_text()
            if (hidden := hide(text)) != text:
                path.write_text(hidden)
