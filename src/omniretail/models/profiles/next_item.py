"""NextItem: the pooled states of a network that predicts the next basket."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor

from omniretail.core.checks import above, at_least, between, one_of, require
from omniretail.models.sequential import SequenceNetwork, by_length, laid_out, require_context
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.blocks import Block
from omniretail.nn.encoders import TransformerEncoder
from omniretail.nn.losses import sampled_softmax
from omniretail.views.histories import Histories
from omniretail.views.sequences import CIRCUMSTANCES, circumstances, latest_windows
from omniretail.views.train import Train

Pooling = Literal["mean", "last", "both"]


@dataclass(eq=False)
class NextItem:
    """SASRec's network (Kang & McAuley, ICDM 2018), trained to predict the next basket, and its states pooled.

    A general-purpose embedding from next-event prediction, as in PinnerFormer (Pancha et al., KDD 2022), which takes
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
        context: of ``gap``, ``repeat``, ``event_type``, ``channel``: inputs beside the items.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch.
        seed: of everything random.
        training: where and how long; ``patience`` monitors the ranking of the next basket.
    """

    dim: int = 64
    n_blocks: int = 2
    heads: int = 2
    max_len: int = 256
    dropout: float = 0.1
    block: Block = "classic"
    pooling: Pooling = "both"
    n_negatives: int = 1024
    popularity: float = 0.5
    context: Sequence[str] = ("gap", "repeat")
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    batch_events: int = 4096
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        self.context = require_context(self)
        at_least(self, "dim", "n_blocks", "heads", "max_len", "n_negatives", "batch_events", low=1)
        at_least(self, "popularity", "weight_decay")
        above(self, "learning_rate")
        between(self, "dropout")
        one_of(self, "block", get_args(Block))
        one_of(self, "pooling", get_args(Pooling))
        require(self, "heads", self.dim % self.heads == 0, f"divide dim={self.dim}")

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            TrainingError: where training cannot go on.
        """
        self.n_items_ = np.array(len(train.items))
        self._network = trained(self, self.network, train.histories)
        self.weights_ = weights_of(self._network)
        return self

    @torch.inference_mode()
    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; the time since the last event is not read, and an empty history lies at 0."""
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(self.network(), self.weights_)
        item = torch.from_numpy(users.item_idx.astype(np.int64))
        circumstance = torch.from_numpy(circumstances(users, self.context))
        vectors = np.zeros((len(users), self.dim * (2 if self.pooling == "both" else 1)), dtype=np.float32)
        for rows, windows in by_length(latest_windows(users, self.max_len)):
            place, real = laid_out(windows, item.device)
            vectors[rows] = self._pooled(self._network.encoder(item[place], circumstance[place]), real).numpy()
        return vectors

    def _pooled(self, states: Tensor, real: Tensor) -> Tensor:
        """States (B, L, dim), of which some are real, (B, L), to (B, D)."""
        length = real.sum(1)
        mean = (states * real[..., None]).sum(1) / length[:, None]
        last = states[torch.arange(len(states)), length - 1]
        return {"mean": mean, "last": last}[self.pooling] if self.pooling != "both" else torch.cat([mean, last], dim=1)

    def network(self) -> SequenceNetwork:
        """The untrained network."""
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
