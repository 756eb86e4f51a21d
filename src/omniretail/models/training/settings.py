"""Settings of training that do not belong to a model."""

import math
from dataclasses import dataclass


class TrainingError(ValueError):
    """Training cannot go on, and the settings are the reason."""


@dataclass(frozen=True)
class Training:
    """Where and how long a network is trained.

    Attributes:
        epochs: passes over the training events; with ``patience``, at most.
        patience: validations without a better ``monitor`` before training stops and the best weights are put back. The
            inner validation is each user's last training basket, which the model then does not learn from (a tenth of
            their events where nobody has two baskets); 0: none, all epochs over all events.
        monitor: ``ndcg_at_10``, ``recall_at_10`` or ``hit_rate_at_10`` of the inner validation.
        validate_every: epochs between validations.
        validation_users: at most so many, drawn by the seed.
        accelerator: ``cpu``, ``gpu`` or ``auto``.
        devices: processes, each on its device.
        strategy: Lightning's; ``ddp_spawn`` for several processes.
        precision: Lightning's: ``32-true``, ``bf16-mixed``, …
        schedule: of the learning rate, epoch by epoch: ``constant``, or ``cosine``, which falls to nought by the end.
        clip_norm: bound on the norm of the gradients; None: none.
        accumulate: batches to a step of the optimiser.
        compile: let ``torch.compile`` fuse the network; worth its minute on a GPU.
        checkpoints: folder where a run that was killed finds itself again when the same command is given; None: a run
            that is killed starts anew.
        checkpoint_every_s: least seconds between two checkpoints; they are written at the ends of epochs.
    """

    epochs: int = 100
    patience: int = 0
    monitor: str = "ndcg_at_10"
    validate_every: int = 1
    validation_users: int = 10_000
    accelerator: str = "cpu"
    devices: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    schedule: str = "constant"
    clip_norm: float | None = None
    accumulate: int = 1
    compile: bool = False
    checkpoints: str | None = None
    checkpoint_every_s: float = 30.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.validate_every < 1 or self.accumulate < 1 or self.devices < 1:
            raise TrainingError("trainer.epochs, validate_every, accumulate and devices are 1 or more")
        if self.patience < 0 or (self.patience and self.epochs < self.validate_every):
            raise TrainingError("trainer.patience is 0 or more, and with it trainer.validate_every is at most epochs")
        if self.monitor not in MONITORS:
            raise TrainingError(f"trainer.monitor={self.monitor!r} is not one of {', '.join(MONITORS)}")
        if self.schedule not in SCHEDULES:
            raise TrainingError(f"trainer.schedule={self.schedule!r} is not one of {', '.join(SCHEDULES)}")

    def share(self, epoch: int) -> float:
        """What part of the learning rate counts in an epoch; a function of its number, so that runs can be resumed."""
        if self.schedule == "constant":
            return 1.0
        return (1 + math.cos(math.pi * (epoch + 0.5) / self.epochs)) / 2


SCHEDULES = ("constant", "cosine")
MONITORS = ("ndcg_at_10", "recall_at_10", "hit_rate_at_10")
