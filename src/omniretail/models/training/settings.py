"""Settings of training that do not belong to a model."""

import math
from dataclasses import dataclass, field

from omniretail.core.checks import above, at_least, one_of, require
from omniretail.core.errors import SettingsError


class TrainingError(SettingsError):
    """Training cannot go on because of its settings; the message names the ones to change."""


_NOT_A_PARAMETER = {"protocol": False}  # of the model: where and how often a run is saved


@dataclass(frozen=True)
class Training:
    """Where and how long a network is trained. Settings that Lightning's Trainer has bear its names.

    Attributes:
        max_epochs: passes over the training events.
        patience: validations without a better ``monitor`` before training stops; the best weights are restored. The
            inner validation holds out the last training basket of some users (a tenth of their events where nobody has
            two baskets), which the model then does not learn from; with ``split.refit=False`` it is the split's own
            validation; 0: no validation, all epochs over all events.
        monitor: ``ndcg_at_10``, ``recall_at_10`` or ``hit_rate_at_10`` of the inner validation.
        check_val_every_n_epoch: epochs between validations.
        validation_users: at most so many users are in the inner validation, drawn by the seed.
        accelerator: ``cpu``, ``gpu`` or ``auto``.
        devices: processes, each on its device.
        strategy: ``ddp_spawn`` for several processes.
        precision: ``32-true``, ``bf16-mixed``, …
        schedule: of the learning rate, epoch by epoch: ``constant``, or ``cosine``, which ends near zero.
        gradient_clip_val: upper bound on the norm of the gradients; None: no bound.
        accumulate_grad_batches: batches per step of the optimiser.
        ema_decay: of the moving average of the weights over steps, which is validated and remains in the end; .9998 is
            an average over some 5,000 steps. None: the weights themselves.
        compile: whether ``torch.compile`` fuses the network, which takes a minute and pays on a GPU.
        checkpoints: folder from which a killed run continues when the same command is run again; None: a killed run
            starts anew.
        checkpoint_every_s: minimum seconds between two checkpoints, which are written at the ends of epochs.

    Raises:
        SettingsError: where a setting is out of range.
    """

    max_epochs: int = 100
    patience: int = 0
    monitor: str = "ndcg_at_10"
    check_val_every_n_epoch: int = 1
    validation_users: int = 10_000
    accelerator: str = "cpu"
    devices: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    schedule: str = "constant"
    gradient_clip_val: float | None = None
    accumulate_grad_batches: int = 1
    ema_decay: float | None = None
    compile: bool = False
    checkpoints: str | None = field(default=None, metadata=_NOT_A_PARAMETER)
    checkpoint_every_s: float = field(default=30.0, metadata=_NOT_A_PARAMETER)

    def __post_init__(self) -> None:
        at_least(self, "patience", "checkpoint_every_s")
        counts = ("max_epochs", "check_val_every_n_epoch", "validation_users", "devices", "accumulate_grad_batches")
        at_least(self, *counts, low=1)
        above(self, "gradient_clip_val")
        require(self, "ema_decay", self.ema_decay is None or 0 <= self.ema_decay < 1, "lie between 0 and 1, 1 excluded")
        one_of(self, "monitor", MONITORS)
        one_of(self, "schedule", SCHEDULES)
        validated = not self.patience or self.check_val_every_n_epoch <= self.max_epochs
        require(self, "check_val_every_n_epoch", validated, f"be at most max_epochs={self.max_epochs}")

    def learning_rate_factor(self, epoch: int) -> float:
        """Factor of the learning rate in an epoch.

        >>> round(Training(max_epochs=10, schedule="cosine").learning_rate_factor(9), 4)
        0.0062
        """
        if self.schedule == "constant":
            return 1.0
        return (1 + math.cos(math.pi * (epoch + 0.5) / self.max_epochs)) / 2


SCHEDULES = ("constant", "cosine")
MONITORS = ("ndcg_at_10", "recall_at_10", "hit_rate_at_10")
