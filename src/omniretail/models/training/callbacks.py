"""What happens beside training: curves, the best weights, checkpoints, a bar with the time left."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback
from tqdm import tqdm

from omniretail.core.epoch_hooks import report_epoch

CHECKPOINT, CURVE = "last.ckpt", "curve.json"


class Curves(Callback):
    """Goes first and tells of each epoch as it ends; after a restart or in several processes, of all epochs at once."""

    def __init__(self) -> None:
        self.points: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Have the epoch judged; keep and tell the figures."""
        pl_module.end_epoch()
        self.points.append(dict(pl_module.figures))
        report_epoch(trainer.current_epoch, self.points[-1])

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Leave the curve where the process that waits for this one finds it."""
        if trainer.world_size > 1 and trainer.is_global_zero:
            (Path(trainer.default_root_dir) / CURVE).write_text(json.dumps(self.points))

    def heard(self, folder: Path) -> None:
        """Tell what other processes left."""
        if not self.points and (folder / CURVE).exists():
            self.load_state_dict({"points": json.loads((folder / CURVE).read_text())})

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"points": self.points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From the checkpoint: the run that goes on shows the whole curve."""
        self.points = list(state_dict["points"])
        for epoch, figures in enumerate(self.points):
            report_epoch(epoch, figures)


class BestWeights(Callback):
    """Keeps the weights of the best validation and puts them back at the end; stops when it has not improved for long.

    Args:
        monitor: name of the figure, the higher the better.
        patience: validations without a better one.
    """

    def __init__(self, monitor: str, patience: int) -> None:
        self.monitor, self.patience = monitor, patience
        self.best, self.since = -1.0, 0
        self.weights: dict[str, Any] = {}

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Compare, keep, and stop where patience is at an end."""
        if self.monitor not in pl_module.figures:
            return
        if pl_module.figures[self.monitor] > self.best:
            self.best, self.since = pl_module.figures[self.monitor], 0
            self.weights = {name: value.detach().cpu().clone() for name, value in pl_module.state_dict().items()}
        else:
            self.since += 1
            trainer.should_stop = trainer.should_stop or self.since >= self.patience

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Put the best weights back."""
        if self.weights:
            pl_module.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"best": self.best, "since": self.since, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.best, self.since, self.weights = state_dict["best"], state_dict["since"], state_dict["weights"]


class Checkpoints(Callback):
    """Writes where training stands at the ends of epochs: a whole file or none, so that it may be killed at any moment.

    Args:
        folder: of this run alone.
        every_s: least seconds between two.
    """

    def __init__(self, folder: Path, every_s: float) -> None:
        self.path, self.every_s = folder / CHECKPOINT, every_s
        self.saved = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write, if it is time."""
        if time.monotonic() - self.saved >= self.every_s and not trainer.should_stop:
            partial = self.path.with_suffix(".partial")
            trainer.save_checkpoint(partial)  # all processes take part, the first one writes
            if trainer.is_global_zero:
                os.replace(partial, self.path)
            self.saved = time.monotonic()


class Progress(Callback):
    """One bar over all epochs, with the time left; silent where nobody looks.

    Args:
        name: of the model.
        epochs: in all.
    """

    def __init__(self, name: str, epochs: int) -> None:
        self.name, self.epochs = name, epochs
        self.bar: Any = None

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Open the bar."""
        disable = None if trainer.is_global_zero else True
        self.bar = tqdm(total=self.epochs, desc=self.name, leave=False, disable=disable, delay=3, bar_format=_FORMAT)
        self.bar.update(trainer.current_epoch)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A batch is a fraction of an epoch."""
        self.bar.update(1 / trainer.num_training_batches)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Show the latest figures."""
        self.bar.set_postfix({name: f"{value:.4f}" for name, value in pl_module.figures.items()}, refresh=False)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Close the bar."""
        self.bar.close()


_FORMAT = "{desc}: {percentage:3.0f}% |{bar}| epoch {n:.1f}/{total:.0f} [{elapsed}<{remaining}{postfix}]"
