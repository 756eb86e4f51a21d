"""GRUAutoencoder: the bottleneck from which a customer's baskets can be reconstructed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from omniretail.core.checks import above, at_least, between
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
from omniretail.nn.events import BasketDecoder, SequenceReader
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import NUMBERS, EventCoding
from omniretail.views.sequences import Windows
from omniretail.views.train import Train


@dataclass(eq=False)
class GRUAutoencoder:
    """Sequence autoencoder (Dai & Le, NeurIPS 2015; Srivastava et al., ICML 2015), an event being a basket.

    One recurrent network reads the baskets, a second reconstructs them from a single vector: of each basket the
    distribution over the most frequent items and attribute values, and its numbers (amounts, prices, time since the
    basket before).

    Args:
        dim: D, of the vector between the two.
        width: of a basket's vector.
        hidden: width of the recurrent layers.
        max_len: baskets that are read and reconstructed; training takes random slices, ``embed`` the latest.
        n_targets: items and attribute values, the most frequent, whose shares in each basket are reconstructed.
        amounts: weight of the numbers beside the shares.
        item_columns: of the item table, coarse to fine; those it lacks are ignored.
        max_items: items with a vector of their own, the most frequent.
        dropout: on the vector of a basket's lines.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_baskets: baskets in a batch.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 128
    width: int = 64
    hidden: int = 128
    max_len: int = 64
    n_targets: int = 512
    amounts: float = 1.0
    item_columns: Sequence[str] = ("department", "category")
    max_items: int = 10_000
    dropout: float = 0.1
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    batch_baskets: int = 2048
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        self.item_columns = list(self.item_columns)
        at_least(self, "dim", "width", "hidden", "max_len", "n_targets", "batch_baskets", low=1)
        at_least(self, "amounts", "max_items", "weight_decay")
        above(self, "learning_rate")
        between(self, "dropout")
        require_no_patience(self)

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            TrainingError: where training cannot go on.
        """
        coding = EventCoding.of(train, self.item_columns, self.max_items)
        self._network = trained(
            self, lambda: GRUAutoencoderNetwork(coding, self), train.histories, *coding.arrays().values()
        )
        self.coding_, self.weights_ = coding.arrays(), weights_of(self._network)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; the time since the last event is not read, and an empty history lies at 0."""
        if not hasattr(self, "_network"):  # loaded from files
            coding = EventCoding.from_arrays(self.coding_)
            self._network = with_weights(GRUAutoencoderNetwork(coding, self), self.weights_)
        return embedded(self._network.coding.baskets(users), self.max_len, self.dim, self._network.read)


class GRUAutoencoderNetwork(nn.Module):
    """Reader, bottleneck and decoder. See ``TrainingTask`` for the methods."""

    def __init__(self, coding: EventCoding, settings: GRUAutoencoder) -> None:
        super().__init__()
        self.coding, self.settings = coding, settings
        self.n_targets = min(settings.n_targets, coding.n_codes - 1)
        self.encoder = basket_encoder(coding, settings.width, settings.dropout)
        self.state = SequenceReader(settings.width, settings.hidden)
        self.bottleneck = nn.Linear(settings.hidden, settings.dim)
        self.decoder = BasketDecoder(settings.dim, settings.hidden, settings.max_len, self.n_targets, len(NUMBERS))

    def learn_from(self, histories: Histories) -> None:
        """Put the baskets where the network is."""
        events = self.coding.baskets(histories)
        self.offsets, self.baskets = events.offsets, Baskets(events)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Windows]:
        """One slice of each customer, in batches of similar length."""
        customers = np.flatnonzero(np.diff(self.offsets) > 0)
        windows = random_slices(self.offsets, customers, self.settings.max_len, self.settings.max_len, rng)
        return windows.batches(max(1, self.settings.batch_baskets // parts), rng)

    def loss(self, batch: Windows) -> Tensor:
        """See ``TrainingTask``."""
        events, place, real = vectors_of(batch, self.baskets, self.encoder)
        scores, numbers = self.decoder(self._bottleneck(events, batch), place.shape[1])
        place, scores, numbers = place[real], scores[real], numbers[real]  # (P,), (P, T), (P, F)
        codes, starts, actual, _ = self.baskets(place)
        missing = actual[:, len(NUMBERS) :]
        squared = (numbers - actual[:, : len(NUMBERS)]).square() * (1 - missing)
        amounts = squared.sum() / (1 - missing).sum().clamp_min(1)
        return self._cross_entropy(scores, codes, starts) + self.settings.amounts * amounts

    def _cross_entropy(self, scores: Tensor, codes: Tensor, starts: Tensor) -> Tensor:
        """Of each basket's targets, whose shares add up to 1."""
        line = torch.zeros(len(codes), dtype=torch.int64, device=codes.device)
        line[starts[1:]] = 1
        basket = line.cumsum(0)[:, None].expand_as(codes)
        target = (codes > 0) & (codes <= self.n_targets)
        basket, code = basket[target], codes[target] - 1
        count = torch.bincount(basket, minlength=len(scores)).clamp_min(1)
        log_share = scores.log_softmax(dim=1)[basket, code] / count[basket]
        return -log_share.sum() / len(scores)

    def _bottleneck(self, events: Tensor, windows: Windows) -> Tensor:
        return self.bottleneck(self.state(events, torch.from_numpy(windows.length)))

    def read(self, windows: Windows, baskets: Baskets) -> Tensor:
        """Vectors of W windows, none empty; shape (W, D)."""
        events, _, _ = vectors_of(windows, baskets, self.encoder)
        return self._bottleneck(events, windows)
