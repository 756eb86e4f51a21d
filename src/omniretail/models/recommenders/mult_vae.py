"""Mult-VAE: a variational autoencoder that reconstructs a user's items."""

from dataclasses import dataclass, field
from typing import Self, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.core.checks import above, at_least, between, one_of
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train


@dataclass(eq=False)
class MultVAE:
    """Variational autoencoder with multinomial likelihood (Liang et al., WWW 2018).

    The first layer sums the vectors of a user's items instead of multiplying a row as wide as the catalogue.

    Args:
        hidden: width of the layer on either side.
        latent: dimensions of a user's latent vector.
        dropout: on the items that the encoder reads.
        beta: weight of the divergence from a standard normal, reached after ``anneal_steps``.
        anneal_steps: batches over which that weight grows from zero; 0: full weight from the start.
        weighting: of a pair of user and item, see ``views.matrix``.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: users in a batch.
        seed: of everything random.
        training: where and how long.
    """

    hidden: int = 600
    latent: int = 200
    dropout: float = 0.5
    beta: float = 0.2
    anneal_steps: int = 10_000
    weighting: Weighting = "binary"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_size: int = 500
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "hidden", "latent", "batch_size", low=1)
        at_least(self, "beta", "anneal_steps", "weight_decay")
        between(self, "dropout")
        above(self, "learning_rate")
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            TrainingError: where training cannot go on.
        """
        n_items = len(train.items)
        self._network = trained(
            self, lambda: MultVAENetwork(n_items, self), train.histories, validation=train.validation
        )
        self.weights_ = weights_of(self._network)
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=n_items).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list."""
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(MultVAENetwork(len(self.popularity_), self), self.weights_)
        scores = self._network.score(users)
        scores[users.lengths == 0] = self.popularity_
        return scores


class MultVAENetwork(nn.Module):
    """Encoder and decoder. See ``TrainingTask`` for the methods."""

    item: Tensor
    offset: Tensor
    weight: Tensor
    step: Tensor

    def __init__(self, n_items: int, settings: MultVAE) -> None:
        super().__init__()
        self.settings = settings
        self.read = nn.EmbeddingBag(n_items, settings.hidden, mode="sum")
        self.bias = nn.Parameter(torch.zeros(settings.hidden))
        self.encoder = nn.Linear(settings.hidden, 2 * settings.latent)
        self.decoder = nn.Sequential(
            nn.Linear(settings.latent, settings.hidden), nn.Tanh(), nn.Linear(settings.hidden, n_items)
        )
        nn.init.xavier_uniform_(self.read.weight)
        self.register_buffer("step", torch.zeros(()))  # saved: annealing goes on where training does

    def learn_from(self, histories: Histories) -> None:
        """Put the users' rows where the network is."""
        for name, tensor in zip(("item", "offset", "weight"), self._rows(histories), strict=True):
            self.register_buffer(name, tensor, persistent=False)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Tensor]:
        """See ``TrainingTask``; each holds indices of users."""
        order = torch.from_numpy(rng.permutation(len(self.offset) - 1))
        return list(order.split(max(1, self.settings.batch_size // parts)))

    def loss(self, batch: Tensor) -> Tensor:
        """See ``TrainingTask``."""
        batch = batch.to(self.item.device)
        length = self.offset[batch + 1] - self.offset[batch]
        row = torch.repeat_interleave(length)
        place = torch.arange(len(row), device=row.device) - (length.cumsum(0) - length)[row] + self.offset[batch][row]
        item, weight = self.item[place], self.weight[place]
        mean, log_variance = self._encoded(item, length.cumsum(0) - length, weight, row)
        scores = self.decoder(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())  # (B, I)
        log_likelihood = (scores[row, item] - scores.logsumexp(dim=1)[row]) * weight
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum()
        beta = self.settings.beta * (self.step / max(1, self.settings.anneal_steps)).clamp_max(1)
        self.step += 1
        return (beta * divergence - log_likelihood.sum()) / len(batch)

    def _encoded(self, item: Tensor, start: Tensor, weight: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of users in flat rows; both (B, latent)."""
        norm = torch.zeros(len(start), device=row.device).index_add_(0, row, weight.square()).sqrt().clamp_min(1e-12)
        inputs = F.dropout(weight / norm[row], self.settings.dropout, self.training)
        hidden = torch.tanh(self.read(item, start, per_sample_weights=inputs) + self.bias)
        mean, log_variance = self.encoder(hidden).chunk(2, dim=1)
        return mean, log_variance

    @torch.inference_mode()
    def score(self, users: Histories) -> np.ndarray:
        """See ``TrainingTask``."""
        item, offset, weight = (tensor.to(self.bias.device) for tensor in self._rows(users))
        row = torch.repeat_interleave(offset.diff())
        mean, _ = self._encoded(item, offset[:-1], weight, row)
        return self.decoder(mean).float().cpu().numpy()

    def _rows(self, users: Histories) -> tuple[Tensor, Tensor, Tensor]:
        matrix = weighted_user_items(users, self.settings.weighting)
        flat = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64), matrix.data
        item, offset, weight = (torch.from_numpy(array) for array in flat)
        return item, offset, weight
