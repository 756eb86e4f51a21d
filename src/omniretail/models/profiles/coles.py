"""CoLES: random slices of one customer's history are closer to each other than to those of other customers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.core.checks import above, at_least, between, one_of, require
from omniretail.models.profiles.basket_batches import (
    Baskets,
    basket_encoder,
    embedded,
    random_slices,
    require_no_patience,
    vectors_of,
)
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.contrastive import ContrastiveLoss, margin_contrast, softmax_contrast
from omniretail.nn.events import Pooling, SequenceReader
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import EventCoding
from omniretail.views.sequences import Windows
from omniretail.views.train import Train


@dataclass(eq=False)
class CoLES:
    """Contrastive learning for event sequences (Babaev et al., SIGMOD 2022), an event being a basket.

    Each customer's history is cut into random slices. A recurrent network reads each slice, and its last state, of unit
    length, attracts those of the same customer and repels those of others.

    Args:
        dim: D.
        width: of a basket's vector.
        views: slices of each customer in an epoch.
        min_len: baskets in a slice, at least, where the customer has them.
        max_len: at most.
        read_len: baskets that ``embed`` reads, the latest.
        item_columns: of the item table, coarse to fine; those it lacks are ignored.
        max_items: items with a vector of their own, the most frequent.
        dropout: on the vector of a basket's lines.
        pooling: the ``last`` state, as in the paper, or the ``mean`` of all.
        loss: ``softmax``, or ``margin`` as in the paper.
        temperature: of ``softmax``.
        margin: of ``margin``.
        hardest: negatives per slice in ``margin``.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: customers in a batch.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 128
    width: int = 64
    views: int = 5
    min_len: int = 5
    max_len: int = 40
    read_len: int = 1000
    item_columns: Sequence[str] = ("department", "category")
    max_items: int = 10_000
    dropout: float = 0.1
    pooling: Pooling = "last"
    loss: ContrastiveLoss = "softmax"
    temperature: float = 0.1
    margin: float = 0.5
    hardest: int = 5
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    batch_size: int = 64
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        self.item_columns = list(self.item_columns)
        at_least(self, "dim", "width", "min_len", "read_len", "hardest", "batch_size", low=1)
        at_least(self, "views", low=2)
        at_least(self, "max_items", "weight_decay", "margin")
        above(self, "temperature", "learning_rate")
        between(self, "dropout")
        one_of(self, "loss", get_args(ContrastiveLoss))
        one_of(self, "pooling", get_args(Pooling))
        require(self, "min_len", self.min_len <= self.max_len, f"be at most max_len={self.max_len}")
        require_no_patience(self)

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            TrainingError: where training cannot go on.
        """
        coding = EventCoding.of(train, self.item_columns, self.max_items)
        self._network = trained(self, lambda: CoLESNetwork(coding, self), train.histories, *coding.arrays().values())
        self.coding_, self.weights_ = coding.arrays(), weights_of(self._network)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; the time since the last event is not read, and an empty history lies at 0."""
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(CoLESNetwork(EventCoding.from_arrays(self.coding_), self), self.weights_)
        return embedded(self._network.coding.baskets(users), self.read_len, self.dim, self._network.read)


class CoLESNetwork(nn.Module):
    """Basket encoder and recurrent network. See ``TrainingTask`` for the methods."""

    def __init__(self, coding: EventCoding, settings: CoLES) -> None:
        super().__init__()
        self.coding, self.settings = coding, settings
        self.encoder = basket_encoder(coding, settings.width, settings.dropout)
        self.state = SequenceReader(settings.width, settings.dim, settings.pooling)

    def learn_from(self, histories: Histories) -> None:
        """Put the baskets where the network is."""
        events = self.coding.baskets(histories)
        self.offsets, self.baskets = events.offsets, Baskets(events)

    def batches(self, rng: np.random.Generator, parts: int) -> list[tuple[Windows, np.ndarray]]:
        """Slices of some customers, and their owners."""
        customers = rng.permutation(np.flatnonzero(np.diff(self.offsets) > 0))
        size = max(1, self.settings.batch_size // parts)
        owners = [
            np.repeat(some, self.settings.views) for some in np.split(customers, range(size, len(customers), size))
        ]
        least, most = self.settings.min_len, self.settings.max_len
        return [(random_slices(self.offsets, owner, least, most, rng), owner) for owner in owners]

    def loss(self, batch: tuple[Windows, np.ndarray]) -> Tensor:
        """See ``TrainingTask``."""
        windows, numbers = batch
        vectors = self.read(windows, self.baskets)
        owner = torch.from_numpy(numbers).to(vectors.device)
        if self.settings.loss == "softmax":
            return softmax_contrast(vectors, owner, self.settings.temperature)
        return margin_contrast(vectors, owner, self.settings.margin, self.settings.hardest)

    def read(self, windows: Windows, baskets: Baskets) -> Tensor:
        """Vectors of unit length of W windows, none empty; shape (W, D)."""
        events, _, _ = vectors_of(windows, baskets, self.encoder)
        return F.normalize(self.state(events, torch.from_numpy(windows.length)), dim=1)
