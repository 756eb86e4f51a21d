"""GRUAutoencoder: what is left of a customer's baskets when they must pass through one vector."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

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
from omniretail.nn.events import BasketDecoder, SequenceReader
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import NUMBERS, EventCoding
from omniretail.views.sequences import Windows
from omniretail.views.train import Train


class GRUAutoencoder:
    """Sequence autoencoder (Dai & Le, NeurIPS 2015; Srivastava et al., ICML 2015), an event being a basket.

    One recurrent network reads the baskets, a second has to tell them again from a single vector: of each basket the
    distribution of its most frequent words and items, and its numbers (amounts, prices, time since the one before).

    Args:
        dim: D, of the vector between the two.
        width: of a basket's vector.
        hidden: width of the recurrent layers.
        max_len: baskets that are read and told again; training takes stretches at random, ``embed`` the latest.
        n_targets: words and items, the most frequent, whose shares in each basket are told again.
        amounts: weight of the numbers beside the shares.
        item_columns: of the item table, coarse to fine; those it lacks are passed over.
        max_items: items with a vector of their own, the most frequent.
        dropout: on what is read of a basket's lines.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_baskets: baskets in a batch.
        seed: of everything random.
        training: where and how long.
    """

    def __init__(
        self,
        dim: int = 128,
        width: int = 64,
        hidden: int = 128,
        max_len: int = 64,
        n_targets: int = 512,
        amounts: float = 1.0,
        item_columns: Sequence[str] = ("department", "category"),
        max_items: int = 10_000,
        dropout: float = 0.1,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.0,
        batch_baskets: int = 2048,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.dim = dim
        self.width = width
        self.hidden = hidden
        self.max_len = max_len
        self.n_targets = n_targets
        self.amounts = amounts
        self.item_columns = list(item_columns)
        self.max_items = max_items
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_baskets = batch_baskets
        self.seed = seed
        self.training = training

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            TrainingError: where training cannot go on.
        """
        without_validation(self.training, "GRUAutoencoder")
        coding = EventCoding.of(train, self.item_columns, self.max_items)
        self._task = trained(
            self, lambda: GRUAutoencoderNetwork(coding, self), train.histories, *coding.arrays().values()
        )
        self.coding_, self.weights_ = coding.arrays(), weights_of(self._task)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; what came after the last event says nothing, and without events it is nought."""
        if not hasattr(self, "_task"):  # read from a file
            coding = EventCoding.from_arrays(self.coding_)
            self._task = with_weights(GRUAutoencoderNetwork(coding, self), self.weights_)
        return embedded(self._task.coding.baskets(users), self.max_len, self.dim, self._task.read)


class GRUAutoencoderNetwork(nn.Module):
    """Reader, bottleneck and teller. See ``Task`` for the methods."""

    def __init__(self, coding: EventCoding, settings: GRUAutoencoder) -> None:
        super().__init__()
        self.coding, self.settings = coding, settings
        self.n_targets = min(settings.n_targets, coding.n_codes - 1)
        self.encoder = basket_encoder(coding, settings.width, settings.dropout)
        self.state = SequenceReader(settings.width, settings.hidden)
        self.bottleneck = nn.Linear(settings.hidden, settings.dim)
        self.teller = BasketDecoder(settings.dim, settings.hidden, settings.max_len, self.n_targets, len(NUMBERS))

    def learn_from(self, histories: Histories) -> None:
        """Put the baskets where the network is."""
        events = self.coding.baskets(histories)
        self.offsets, self.baskets = events.offsets, Baskets(events)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Windows]:
        """One stretch of each customer, in batches of like length."""
        some = np.flatnonzero(np.diff(self.offsets) > 0)
        windows = stretches(self.offsets, some, self.settings.max_len, self.settings.max_len, rng)
        return windows.batches(max(1, self.settings.batch_baskets // parts), rng)

    def loss(self, batch: Windows) -> Tensor:
        """See ``Task``."""
        events, place, real = vectors_of(batch, self.baskets, self.encoder)
        told, numbers = self.teller(self._squeezed(events, batch), place.shape[1])
        place, told, numbers = place[real], told[real], numbers[real]  # (P,), (P, T), (P, F)
        codes, starts, given, _ = self.baskets(place)
        missing = given[:, len(NUMBERS) :]
        wrong = (numbers - given[:, : len(NUMBERS)]).square() * (1 - missing)
        amounts = wrong.sum() / (1 - missing).sum().clamp_min(1)
        return self._surprise(told, codes, starts) + self.settings.amounts * amounts

    def _surprise(self, told: Tensor, codes: Tensor, starts: Tensor) -> Tensor:
        """Cross-entropy of each basket's targets, its shares adding up to 1."""
        line = torch.zeros(len(codes), dtype=torch.int64, device=codes.device)
        line[starts[1:]] = 1
        basket = line.cumsum(0)[:, None].expand_as(codes)
        target = (codes > 0) & (codes <= self.n_targets)
        basket, code = basket[target], codes[target] - 1
        count = torch.bincount(basket, minlength=len(told)).clamp_min(1)
        log_share = told.log_softmax(dim=1)[basket, code] / count[basket]
        return -log_share.sum() / len(told)

    def _squeezed(self, events: Tensor, windows: Windows) -> Tensor:
        return self.bottleneck(self.state(events, torch.from_numpy(windows.length)))

    def read(self, windows: Windows, baskets: Baskets) -> Tensor:
        """Vectors of W windows, none empty; shape (W, D)."""
        events, _, _ = vectors_of(windows, baskets, self.encoder)
        return self._squeezed(events, windows)
