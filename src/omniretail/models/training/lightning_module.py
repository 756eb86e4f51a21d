"""The Lightning module that trains any of our networks."""

from typing import Any, Protocol

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from omniretail.core.epoch_hooks import report_epoch
from omniretail.models.training.inner_validation import InnerValidation, mean_metrics
from omniretail.models.training.settings import Training, TrainingError
from omniretail.views.histories import Histories

_DIVERGED = 10.0
"""Training has diverged when an epoch's mean loss is this many times the loss of the first batch that has one."""


class TrainingTask(Protocol):
    """A network with its loss: an ``nn.Module`` whose buffers hold the training events.

    Its parameters are what is learned and saved. ``epoch`` is set to the number of each epoch before it begins.
    """

    epoch: int

    def batches(self, rng: np.random.Generator, parts: int) -> list[Any]:
        """One epoch as a list of small descriptions of batches, each a ``1 / parts`` share of a full batch."""
        ...

    def loss(self, batch: Any) -> Tensor:
        """The mean loss over a batch, a scalar."""
        ...

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; with the current weights."""
        ...


class TrainingModule(lightning.LightningModule):
    """Trains a task; all random numbers of an epoch follow from the seed and the epoch's number.

    Metrics of each epoch go to ``core.epoch_hooks`` rather than to Lightning's MLFlowLogger: the run in MLflow belongs
    to the caller, which is not known here, and a run that continues has to show its earlier epochs too. They are part
    of the module's state, through which they also come back from the processes of ``ddp_spawn``.

    Args:
        task: see ``TrainingTask``.
        learning_rate: of AdamW.
        weight_decay: decoupled, as in AdamW.
        seed: of batches, negatives and dropout.
        inner: the inner validation; None: there is none.
        training: where and how long.
    """

    def __init__(
        self,
        task: nn.Module,
        learning_rate: float,
        weight_decay: float,
        seed: int,
        inner: InnerValidation | None,
        training: Training,
    ) -> None:
        super().__init__()
        self.task: Any = task
        self.learning_rate, self.weight_decay, self.seed = learning_rate, weight_decay, seed
        self.inner, self.training_settings = inner, training
        self.curve: list[dict[str, float]] = []
        self.first_loss = float("nan")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW over all parameters, fused where Lightning allows it."""
        clipped = self.trainer.gradient_clip_val and "mixed" in str(self.trainer.precision)
        return torch.optim.AdamW(
            self.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=not clipped
        )

    def train_dataloader(self) -> DataLoader:
        """This process's share of the epoch's batches; Lightning calls it before each epoch.

        Raises:
            TrainingError: where there are fewer batches than processes.
        """
        parts, part = self.trainer.world_size, self.trainer.global_rank
        rng = np.random.default_rng([self.seed, self.current_epoch])
        plan = self.task.batches(rng, parts)
        if len(plan) < parts:
            raise TrainingError(f"there are fewer batches than processes ({parts}); lower trainer.devices")
        even = plan[: len(plan) - len(plan) % parts]  # each process takes as many steps as the others
        return _loader(even[part::parts])

    def val_dataloader(self) -> DataLoader:
        """This process's share of the validated users, in one batch."""
        return _loader([slice(self.trainer.global_rank, None, self.trainer.world_size)])

    def on_train_epoch_start(self) -> None:
        """Seed the generators and set the learning rate by the epoch's number, so that a run can continue from any.

        A scheduler of torch does not do: Lightning steps it after the checkpoint of an epoch is written, so that a run
        that continues would lag one epoch behind.
        """
        self.task.epoch = self.current_epoch
        torch.manual_seed((self.seed * 1_000_003 + self.current_epoch) * 1009 + self.trainer.global_rank)
        factor = self.training_settings.learning_rate_factor(self.current_epoch)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.learning_rate * factor

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss of a batch.

        Raises:
            TrainingError: where it is not finite.
        """
        loss = self.task.loss(batch)
        if not torch.isfinite(loss):
            raise self.diverged(f"the loss of batch {batch_idx} in epoch {self.current_epoch} is {loss.item()}")
        if not self.first_loss > 0:
            self.first_loss = loss.item()
        self.log("train_loss", loss.detach(), on_step=False, on_epoch=True, prog_bar=True, sync_dist=True, batch_size=1)
        return loss

    def validation_step(self, users: slice, batch_idx: int) -> None:
        """Metrics of the inner validation over the users of all processes.

        Lightning's own averages over processes weight them wrongly where their numbers of users differ.
        """
        assert self.inner is not None
        sums = torch.tensor(self.inner.evaluate_users(self.task, users), device=self.device).float()
        self.task.eval()  # here tasks drop what they cache for scoring, which belongs in no checkpoint
        total = torch.as_tensor(self.trainer.strategy.reduce(sums, reduce_op="sum"))
        self.log_dict(mean_metrics(total.cpu().numpy()), sync_dist=True, batch_size=1)

    def on_train_epoch_end(self) -> None:
        """Report the epoch's metrics; training ends here where the listener wants no further epoch.

        Raises:
            TrainingError: where the loss has grown far above that of the untrained network.
        """
        validated = (self.current_epoch + 1) % self.training_settings.check_val_every_n_epoch == 0
        logged = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        metrics = {name: value for name, value in logged.items() if validated or not name.startswith("val_")}
        if metrics["train_loss"] > _DIVERGED * max(self.first_loss, 1.0):
            rise = f"the loss rose from {self.first_loss:.4g} to {metrics['train_loss']:.4g}"
            raise self.diverged(f"{rise} in epoch {self.current_epoch}")
        self.curve.append(metrics)
        if report_epoch(self.current_epoch, metrics):
            self.trainer.should_stop = True

    def diverged(self, symptom: str) -> TrainingError:
        """The error that names what to change."""
        return TrainingError(
            f"training diverges at learning_rate={self.learning_rate:g}: {symptom}; lower model.learning_rate, or set "
            "trainer.gradient_clip_val=1"
        )

    def get_extra_state(self) -> dict[str, Any]:
        """What belongs to a checkpoint beside the weights."""
        return {"curve": self.curve, "first_loss": self.first_loss}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take over and report the epochs of a run that continues, or of the processes that trained."""
        self.curve, self.first_loss = list(state["curve"]), state["first_loss"]
        for epoch, metrics in enumerate(self.curve):
            report_epoch(epoch, metrics)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Leave batches as they are: they are descriptions, and the events are on the device already."""
        return batch


def _loader(batches: Any) -> DataLoader:
    own = torch.Generator()  # each iterator draws once from its generator: the global one is left alone
    return DataLoader(batches, batch_size=None, collate_fn=_unchanged, generator=own)


def _unchanged(batch: Any) -> Any:
    return batch
