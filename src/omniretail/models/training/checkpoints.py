"""Lightning's checkpoints, so that a run may be killed at any time: at the ends of epochs, whole or absent."""

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins import TorchCheckpointIO

LAST, BEST = "last.ckpt", "best.ckpt"


class EpochCheckpoint(ModelCheckpoint):
    """The state of training, saved at the end of an epoch if enough time has passed.

    Lightning's ``train_time_interval`` saves inside an epoch, where the state of each process's random generators would
    belong to the checkpoint; at the end of an epoch it follows from the seed and the epoch's number, so that a run that
    continues ends with the same weights as one that was never interrupted.

    Args:
        folder: of this run alone.
        every_s: minimum seconds between two checkpoints.
    """

    def __init__(self, folder: Path, every_s: float) -> None:
        super().__init__(folder, Path(LAST).stem, save_on_train_epoch_end=True, enable_version_counter=False)
        self.every_s, self.saved_at = every_s, time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Save if it is time; the clock of the first process decides for all, and a run that stops needs none."""
        too_early = time.monotonic() - self.saved_at < self.every_s
        if not trainer.strategy.broadcast(too_early or trainer.should_stop):
            super().on_train_epoch_end(trainer, pl_module)
            self.saved_at = time.monotonic()


def best_weights(folder: Path, monitor: str) -> ModelCheckpoint:
    """Saves the state of the best validation as ``BEST``; of weights alone, Lightning leaves their averages out."""
    return ModelCheckpoint(folder, Path(BEST).stem, monitor, mode="max", enable_version_counter=False)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Replaces a checkpoint by renaming the new one.

    Lightning's own writes to the system's temporary folder and moves the file, which copies it where that folder is on
    another file system: a process killed while it copies leaves half a checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write beside the final path, then rename."""
        partial = f"{path}.partial"
        super().save_checkpoint(checkpoint, partial, storage_options)
        os.replace(partial, path)
