"""The Lightning module that trains any of our networks."""

from typing import Any, Protocol

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from omniretail.models.training.early_stopping import InnerValidation, figures
from omniretail.models.training.settings import Training, TrainingError
from omniretail.views.histories import Histories


class TrainingTask(Protocol):
    """What a network learns, and how it is asked; an ``nn.Module`` whose buffers hold the training events.

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
        """See ``Recommender``; with the weights as they are now."""
        ...


class TrainingModule(lightning.LightningModule):
    """Trains a task; everything random in an epoch depends on the seed and the number of the epoch alone.

    Args:
        task: see ``TrainingTask``.
        learning_rate: of Adam.
        weight_decay: decoupled, as in AdamW.
        seed: of batches, negatives and dropout.
        inner: what to validate on; None: nothing.
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
        self.figures: dict[str, float] = {}
        self._losses: list[Tensor] = []

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW over all parameters, in one pass over each where Lightning allows it."""
        clipped = self.trainer.gradient_clip_val and "mixed" in str(self.trainer.precision)
        return torch.optim.AdamW(
            self.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=not clipped
        )

    def train_dataloader(self) -> DataLoader:
        """This process's share of the epoch's batches; asked for anew each epoch."""
        parts, part = self.trainer.world_size, self.trainer.global_rank
        rng = np.random.default_rng([self.seed, self.current_epoch])
        plan = self.task.batches(rng, parts)
        if len(plan) < parts:
            raise TrainingError(f"there are fewer batches than processes ({parts}); lower trainer.devices")
        even = plan[: len(plan) - len(plan) % parts]  # each process takes as many steps as the others
        own = torch.Generator()  # or each iterator draws from the global one, after a restart once less often
        return DataLoader(_Plan(even[part::parts]), batch_size=None, collate_fn=_as_it_is, generator=own)

    def on_train_epoch_start(self) -> None:
        """Set the generators by the epoch, so that a resumed run draws what an unbroken one would have drawn."""
        self.task.epoch = self.current_epoch
        torch.manual_seed((self.seed * 1_000_003 + self.current_epoch) * 1009 + self.trainer.global_rank)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.learning_rate * self.training_settings.share(self.current_epoch)
        self._losses = []

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss of a batch.

        Raises:
            TrainingError: where it is not finite.
        """
        loss = self.task.loss(batch)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss of batch {batch_idx} in epoch {self.current_epoch} is {loss.item()} at learning rate "
                f"{self.learning_rate:g}; lower it, or set trainer.clip_norm=1"
            )
        self._losses.append(loss.detach())
        return loss

    def end_epoch(self) -> None:
        """Gather the epoch's figures from all processes. The first callback calls it: Lightning's hook comes last."""
        loss = torch.stack(self._losses).mean()
        self.figures = {"train_loss": float(self.trainer.strategy.reduce(loss, reduce_op="mean"))}
        if self.inner is not None and (self.current_epoch + 1) % self.training_settings.validate_every == 0:
            self.task.eval()
            sums = self.inner.evaluate_users(self.task, self.trainer.global_rank, self.trainer.world_size)
            self.task.train()
            total = self.trainer.strategy.reduce(torch.tensor(sums, device=self.device).float(), reduce_op="sum")
            self.figures |= figures(np.asarray(torch.as_tensor(total).cpu()))

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Batches are descriptions; the events themselves are on the device already."""
        return batch


class _Plan(Dataset):
    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, place: int) -> Any:
        return self.batches[place]


def _as_it_is(batch: Any) -> Any:
    return batch
