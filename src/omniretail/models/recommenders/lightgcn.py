"""LightGCN: vectors of users and items, smoothed over the graph of who bought what."""

from dataclasses import dataclass, field
from typing import Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.core.checks import above, at_least, one_of
from omniretail.models.top_k import rank_last
from omniretail.models.training import Training
from omniretail.models.training.networks import trained
from omniretail.nn.encoders import item_vectors
from omniretail.nn.graph import normalised_adjacency, propagated
from omniretail.nn.losses import bpr
from omniretail.nn.negatives import Negatives
from omniretail.nn.softmax import shared_softmax
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

Loss = Literal["softmax", "bpr"]


@dataclass(eq=False)
class LightGCN:
    """Light graph convolution (He et al., SIGIR 2020).

    The paper's loss is ``bpr``; ``softmax`` over shared negatives with cosine scores (Wu et al., TOIS 2024) learns more
    from each propagation, so it needs fewer steps with larger batches. A user who was not in training gets the vector
    that the graph's layers compute from their items.

    Args:
        dim: D.
        n_layers: of neighbours; a vector is the mean over all layers.
        loss: ``softmax`` or ``bpr``.
        temperature: of the cosine scores, for ``softmax``.
        n_negatives: shared by a batch, for ``softmax``.
        warm_up_epochs: first epochs, in which the vectors are learned without the graph, as plain factors, in a
            fraction of the time.
        item_length: exponent of the length of an item's vector in ranking, for ``softmax``: 0 ranks by cosines, as in
            training, 1 by products. The graph's layers make the vectors of popular items long.
        regularization: on the squared vectors of a batch before propagation, as in the paper.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: pairs of user and item in a batch; the graph is propagated once for each.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    n_layers: int = 3
    loss: Loss = "softmax"
    temperature: float = 0.15
    n_negatives: int = 2048
    warm_up_epochs: int = 0
    item_length: float = 0.0
    regularization: float = 0.0
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    batch_size: int = 32_768
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "n_negatives", "batch_size", low=1)
        at_least(self, "n_layers", "warm_up_epochs", "item_length", "regularization", "weight_decay")
        above(self, "temperature", "learning_rate")
        one_of(self, "loss", get_args(Loss))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            TrainingError: where training cannot go on.
        """
        shape = len(train.users), len(train.items)
        network = trained(self, lambda: LightGCNNetwork(*shape, self), train.histories, validation=train.validation)
        self.user_factors_, self.item_factors_, self.fold_in_ = network.factors()
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=shape[1]).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list."""
        scores = _vectors(users, self.user_factors_, self.fold_in_) @ self.item_factors_.T
        rank_last(scores, self.popularity_ == 0)
        scores[users.lengths == 0] = self.popularity_
        return scores


class LightGCNNetwork(nn.Module):
    """The vectors before propagation, which are learned. See ``TrainingTask`` for the methods."""

    user: Tensor
    item: Tensor
    pair: Tensor
    adjacency: Tensor

    def __init__(self, n_users: int, n_items: int, settings: LightGCN) -> None:
        super().__init__()
        self.n_users, self.n_items, self.settings, self.epoch = n_users, n_items, settings, 0
        self.vectors = item_vectors(n_users + n_items, settings.dim)
        self._factors: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        if settings.loss == "bpr":
            nn.init.normal_(self.vectors.weight, std=0.1)  # the paper's

    def learn_from(self, histories: Histories) -> None:
        """Make the graph."""
        pairs = binary_user_items(histories).tocoo()
        user, item = (torch.from_numpy(part.astype(np.int64)) for part in (pairs.row, pairs.col))
        self.register_buffer("user", user, persistent=False)
        self.register_buffer("item", item, persistent=False)
        self.register_buffer("pair", user * self.n_items + item, persistent=False)  # ascending
        graph = normalised_adjacency(user, item, self.n_users, self.n_items)
        self.register_buffer("adjacency", graph, persistent=False)
        self.negatives = Negatives(torch.ones(self.n_items), self.settings.n_negatives)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Tensor]:
        """See ``TrainingTask``; each holds indices of pairs."""
        order = torch.from_numpy(rng.permutation(len(self.user)))
        return list(order.split(max(1, self.settings.batch_size // parts)))

    def loss(self, batch: Tensor) -> Tensor:
        """See ``TrainingTask``."""
        batch = batch.to(self.user.device)
        user, item = self.user[batch], self.item[batch]
        users, items = self.smoothed()
        if self.settings.loss == "softmax":
            states = F.normalize(F.embedding(user, users), dim=1) / self.settings.temperature
            loss = shared_softmax(states, F.normalize(items, dim=1), item, self.negatives.draw())
        else:
            negatives = self._negative_items(user)
            states = F.embedding(user, users)
            positive, negative = ((states * F.embedding(each, items)).sum(1) for each in (item, negatives))
            loss = bpr(positive, negative[:, None])
        before = self.vectors(torch.cat([user, item + self.n_users]))
        return loss + self.settings.regularization * before.square().sum() / (2 * len(batch))

    def smoothed(self) -> tuple[Tensor, Tensor]:
        """The mean over layers, of users (U, D) and items (I, D); in the warm-up the first layer alone."""
        n_layers = 0 if self.epoch < self.settings.warm_up_epochs else self.settings.n_layers
        mean = _mean(propagated(self.adjacency, self.vectors.weight, n_layers))
        return mean[: self.n_users], mean[self.n_users :]

    def _negative_items(self, user: Tensor) -> Tensor:
        """One item per user, drawn again (up to ten times) where the user bought it."""
        drawn = torch.randint(self.n_items, user.shape, device=user.device)
        for _ in range(10):
            pair = user * self.n_items + drawn
            nearest = torch.searchsorted(self.pair, pair).clamp_max(len(self.pair) - 1)
            bought = self.pair[nearest] == pair
            drawn = torch.where(bought, torch.randint(self.n_items, user.shape, device=user.device), drawn)
        return drawn

    @torch.no_grad()
    def factors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vectors of users (U, D), of items (I, D), and each item's part in a new user's vector (I, D)."""
        layers = propagated(self.adjacency, self.vectors.weight, self.settings.n_layers)
        users, items = _mean(layers).split([self.n_users, self.n_items])
        if self.settings.loss == "softmax":
            items = F.normalize(items, dim=1) * items.norm(dim=1, keepdim=True) ** self.settings.item_length
        degree = torch.bincount(self.item, minlength=self.n_items).clamp_min(1).float()
        parts = sum(layers[1:-1], layers[0])[self.n_users :] if len(layers) > 1 else items
        fold_in = parts / (len(layers) * degree.sqrt()[:, None])
        return users.cpu().numpy().copy(), items.cpu().numpy().copy(), fold_in.cpu().numpy().copy()

    def score(self, users: Histories) -> np.ndarray:
        """See ``TrainingTask``; propagates once, until training goes on."""
        self._factors = self._factors or self.factors()
        vectors, items, fold_in = self._factors
        return _vectors(users, vectors, fold_in) @ items.T

    def train(self, mode: bool = True) -> Self:
        """Training invalidates the cached factors."""
        self._factors = None
        return super().train(mode)


def _mean(layers: list[Tensor]) -> Tensor:
    """Added one by one, because stacking copies them."""
    return sum(layers[1:], layers[0]) / len(layers)


def _vectors(users: Histories, user_factors: np.ndarray, fold_in: np.ndarray) -> np.ndarray:
    """The learned vector, or for users not in training the folded-in one; shape (B, D)."""
    user_items = binary_user_items(users)
    degree = np.maximum(np.diff(user_items.indptr), 1)[:, None]
    folded = user_items @ fold_in / np.sqrt(degree, dtype=np.float32)
    return np.where((users.user_idx >= 0)[:, None], user_factors[users.user_idx], folded).astype(np.float32)
