"""Mult-VAE: a user's items, squeezed through a few numbers and told again."""

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.views.histories import Histories
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train


class MultVAE:
    """Variational autoencoder with multinomial likelihood (Liang et al., WWW 2018).

    The first layer sums the vectors of a user's items instead of multiplying a row as wide as the catalogue.

    Args:
        hidden: width of the layer on either side.
        latent: numbers that a user is squeezed through.
        dropout: on the items that the encoder sees.
        beta: weight of the divergence from a standard normal, reached after ``anneal_steps``.
        anneal_steps: batches over which it grows from nought.
        weighting: what a pair of user and item weighs, see ``views.matrix``.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: users in a batch.
        seed: of everything random.
        training: where and how long.
    """

    def __init__(
        self,
        hidden: int = 600,
        latent: int = 200,
        dropout: float = 0.5,
        beta: float = 0.2,
        anneal_steps: int = 10_000,
        weighting: Weighting = "binary",
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        batch_size: int = 500,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.hidden = hidden
        self.latent = latent
        self.dropout = dropout
        self.beta = beta
        self.anneal_steps = anneal_steps
        self.weighting: Weighting = weighting
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.seed = seed
        self.training = training

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            TrainingError: where training cannot go on.
        """
        n_items = len(train.items)
        self._task = trained(self, lambda: MultVAENetwork(n_items, self), train.histories)
        self.weights_ = weights_of(self._task)
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=n_items).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list."""
        if not hasattr(self, "_task"):  # read from a file
            self._task = with_weights(MultVAENetwork(len(self.popularity_), self), self.weights_)
        scores = self._task.score(users)
        scores[users.lengths == 0] = self.popularity_
        return scores


class MultVAENetwork(nn.Module):
    """Encoder and decoder. See ``Task`` for the methods."""

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
        """See ``Task``; each is the numbers of some users."""
        order = torch.from_numpy(rng.permutation(len(self.offset) - 1))
        return list(order.split(max(1, self.settings.batch_size // parts)))

    def loss(self, batch: Tensor) -> Tensor:
        """See ``Task``."""
        batch = batch.to(self.item.device)
        length = self.offset[batch + 1] - self.offset[batch]
        row = torch.repeat_interleave(length)
        place = torch.arange(len(row), device=row.device) - (length.cumsum(0) - length)[row] + self.offset[batch][row]
        item, weight = self.item[place], self.weight[place]
        mean, log_variance = self._encoded(item, length.cumsum(0) - length, weight, row)
        scores = self.decoder(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())  # (B, I)
        told = (scores[row, item] - scores.logsumexp(dim=1)[row]) * weight
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum()
        beta = self.settings.beta * (self.step / max(1, self.settings.anneal_steps)).clamp_max(1)
        self.step += 1
        return (beta * divergence - told.sum()) / len(batch)

    def _encoded(self, item: Tensor, start: Tensor, weight: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of users given by flat rows; both (B, latent)."""
        norm = torch.zeros(len(start), device=row.device).index_add_(0, row, weight.square()).sqrt().clamp_min(1e-12)
        seen = F.dropout(weight / norm[row], self.settings.dropout, self.training)
        hidden = torch.tanh(self.read(item, start, per_sample_weights=seen) + self.bias)
        mean, log_variance = self.encoder(hidden).chunk(2, dim=1)
        return mean, log_variance

    @torch.inference_mode()
    def score(self, users: Histories) -> np.ndarray:
        """See ``Task``."""
        item, offset, weight = (tensor.to(self.bias.device) for tensor in self._rows(users))
        row = torch.repeat_interleave(offset.diff())
        mean, _ = self._encoded(item, offset[:-1], weight, row)
        return self.decoder(mean).float().cpu().numpy()

    def _rows(self, users: Histories) -> tuple[Tensor, Tensor, Tensor]:
        matrix = weighted_user_items(users, self.settings.weighting)
        flat = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64), matrix.data
        item, offset, weight = (torch.from_numpy(array) for array in flat)
        return item, offset, weight
