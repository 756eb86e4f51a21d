"""CoLES: two stretches of one customer's life are more alike than stretches of two lives."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.models.profiles.basket_batches import (
    Baskets,
    basket_encoder,
    embedded,
    stretches,
    vectors_of,
    without_validation,
)
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.contrastive import ContrastiveLoss, margin_contrast, softmax_contrast
from omniretail.nn.events import Pooling, SequenceReader
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import EventCoding
from omniretail.views.sequences import Windows
from omniretail.views.train import Train


class CoLES:
    """Contrastive learning for event sequences (Babaev et al., SIGMOD 2022), an event being a basket.

    From each customer some random stretches of their baskets are cut. A recurrent network reads each, and its last
    state, of unit length, is to be near those of the same customer and far from those of others.

    Args:
        dim: D.
        width: of a basket's vector.
        views: stretches cut from each customer in an epoch.
        min_len: baskets in a stretch, at least, where the customer has them.
        max_len: at most.
        read_len: baskets that ``embed`` reads, the latest.
        item_columns: of the item table, coarse to fine; those it lacks are passed over.
        max_items: items with a vector of their own, the most frequent.
        dropout: on what is read of a basket's lines.
        pooling: the ``last`` state, as in the paper, or the ``mean`` of all.
        loss: ``softmax`` or ``margin``, that of the paper.
        temperature: of ``softmax``.
        margin: of ``margin``.
        hardest: negatives that count for each stretch in ``margin``.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: customers in a batch.
        seed: of everything random.
        training: where and how long.
    """

    def __init__(
        self,
        dim: int = 128,
        width: int = 64,
        views: int = 5,
        min_len: int = 5,
        max_len: int = 40,
        read_len: int = 1000,
        item_columns: Sequence[str] = ("department", "category"),
        max_items: int = 10_000,
        dropout: float = 0.1,
        pooling: Pooling = "last",
        loss: ContrastiveLoss = "softmax",
        temperature: float = 0.1,
        margin: float = 0.5,
        hardest: int = 5,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.0,
        batch_size: int = 64,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.dim = dim
        self.width = width
        self.views = views
        self.min_len = min_len
        self.max_len = max_len
        self.read_len = read_len
        self.item_columns = list(item_columns)
        self.max_items = max_items
        self.dropout = dropout
        self.pooling: Pooling = pooling
        self.loss: ContrastiveLoss = loss
        self.temperature = temperature
        self.margin = margin
        self.hardest = hardest
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.seed = seed
        self.training = training

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            ValueError: where settings do not fit each other.
            TrainingError: where training cannot go on.
        """
        without_validation(self.training, "CoLES")
        if self.loss not in ("softmax", "margin"):
            raise ValueError(f"loss={self.loss!r} is not one of softmax, margin")
        if self.pooling not in ("last", "mean"):
            raise ValueError(f"pooling={self.pooling!r} is not one of last, mean")
        if not 1 <= self.min_len <= self.max_len or self.views < 2:
            raise ValueError("min_len is 1 or more and at most max_len, and views is 2 or more")
        coding = EventCoding.of(train, self.item_columns, self.max_items)
        self._task = trained(self, lambda: CoLESNetwork(coding, self), train.histories, *coding.arrays().values())
        self.coding_, self.weights_ = coding.arrays(), weights_of(self._task)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; what came after the last event says nothing, and without events it is nought."""
        if not hasattr(self, "_task"):  # read from a file
            self._task = with_weights(CoLESNetwork(EventCoding.from_arrays(self.coding_), self), self.weights_)
        return embedded(self._task.coding.baskets(users), self.read_len, self.dim, self._task.read)


class CoLESNetwork(nn.Module):
    """Basket encoder and recurrent network. See ``Task`` for the methods."""

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
        """Stretches of some customers, and whose they are."""
        customers = rng.permutation(np.flatnonzero(np.diff(self.offsets) > 0))
        size = max(1, self.settings.batch_size // parts)
        owners = [
            np.repeat(some, self.settings.views) for some in np.split(customers, range(size, len(customers), size))
        ]
        least, most = self.settings.min_len, self.settings.max_len
        return [(stretches(self.offsets, owner, least, most, rng), owner) for owner in owners]

    def loss(self, batch: tuple[Windows, np.ndarray]) -> Tensor:
        """See ``Task``."""
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
