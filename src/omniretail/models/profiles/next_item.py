"""NextItem: the states of a network that knows what comes next, pooled."""

from collections.abc import Sequence
from typing import Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor

from omniretail.models.sequential import SequenceNetwork, by_length, laid_out
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.blocks import Block
from omniretail.nn.encoders import TransformerEncoder
from omniretail.nn.losses import sampled_softmax
from omniretail.views.histories import Histories
from omniretail.views.sequences import CIRCUMSTANCES, circumstances, latest_windows
from omniretail.views.train import Train

Pooling = Literal["mean", "last", "both"]


class NextItem:
    """SASRec's network (Kang & McAuley, ICDM 2018), trained to predict the next basket, and its states pooled.

    A general-purpose embedding from next-event prediction, as in PinnerFormer (Pancha et al., KDD 2022), there with
    the last state alone.

    Args:
        dim: width of item vectors and states; D, or half of it with ``pooling=both``.
        n_blocks: transformer blocks.
        heads: of each block's attention.
        max_len: latest events of a history that are read.
        dropout: throughout.
        block: ``classic`` or ``ligr``.
        pooling: ``mean`` of the states, the ``last`` one, or ``both`` side by side.
        n_negatives: drawn for each batch, shared by all its positions.
        popularity: exponent of an item's popularity in that draw.
        context: of ``gap``, ``repeat``, ``event_type``, ``channel``: what is read beside the items.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch.
        seed: of everything random.
        training: where and how long; ``patience`` watches the ranking of the next basket.
    """

    def __init__(
        self,
        dim: int = 64,
        n_blocks: int = 2,
        heads: int = 2,
        max_len: int = 256,
        dropout: float = 0.1,
        block: Block = "classic",
        pooling: Pooling = "both",
        n_negatives: int = 1024,
        popularity: float = 0.5,
        context: Sequence[str] = ("gap", "repeat"),
        learning_rate: float = 3e-3,
        weight_decay: float = 0.0,
        batch_events: int = 4096,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.dim = dim
        self.n_blocks = n_blocks
        self.heads = heads
        self.max_len = max_len
        self.dropout = dropout
        self.block: Block = block
        self.pooling: Pooling = pooling
        self.n_negatives = n_negatives
        self.popularity = popularity
        self.context = list(context)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_events = batch_events
        self.seed = seed
        self.training = training

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            ValueError: where settings do not fit each other.
            TrainingError: where training cannot go on.
        """
        if self.pooling not in get_args(Pooling):
            raise ValueError(f"pooling={self.pooling!r} is not one of {', '.join(get_args(Pooling))}")
        self.n_items_ = np.array(len(train.items))
        self._task = trained(self, self._made, train.histories)
        self.weights_ = weights_of(self._task)
        return self

    @torch.inference_mode()
    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; what came after the last event says nothing, and without events it is nought."""
        if not hasattr(self, "_task"):  # read from a file
            self._task = with_weights(self._made(), self.weights_)
        item = torch.from_numpy(users.item_idx.astype(np.int64))
        circumstance = torch.from_numpy(circumstances(users, self.context))
        vectors = np.zeros((len(users), self.dim * (2 if self.pooling == "both" else 1)), dtype=np.float32)
        for rows, windows in by_length(latest_windows(users, self.max_len)):
            place, real = laid_out(windows, item.device)
            vectors[rows] = self._pooled(self._task.encoder(item[place], circumstance[place]), real).numpy()
        return vectors

    def _pooled(self, states: Tensor, real: Tensor) -> Tensor:
        """States (B, L, dim), of which some are real, (B, L), to (B, D)."""
        length = real.sum(1)
        mean = (states * real[..., None]).sum(1) / length[:, None]
        last = states[torch.arange(len(states)), length - 1]
        return {"mean": mean, "last": last}[self.pooling] if self.pooling != "both" else torch.cat([mean, last], dim=1)

    def _made(self) -> SequenceNetwork:
        """The network, untrained."""
        encoder = TransformerEncoder(
            int(self.n_items_),
            self.dim,
            self.max_len,
            self.n_blocks,
            self.heads,
            self.dropout,
            self.block,
            context_sizes=[CIRCUMSTANCES.get(name, 0) for name in self.context],
        )
        return SequenceNetwork(
            encoder,
            sampled_softmax,
            max_len=self.max_len,
            context=self.context,
            batch_events=self.batch_events,
            n_negatives=self.n_negatives,
            popularity=self.popularity,
            log_q=True,
        )
