"""BiTGCF: a graph per channel; customers' vectors are exchanged between channels at every layer."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.core.checks import above, at_least, between
from omniretail.models.top_k import rank_last
from omniretail.models.training import Training
from omniretail.models.training.networks import trained
from omniretail.nn.channels import exchanged
from omniretail.nn.encoders import item_vectors
from omniretail.nn.graph import normalised_adjacency, propagated
from omniretail.nn.losses import sampled_softmax, scores_of
from omniretail.nn.negatives import Negatives
from omniretail.views.histories import Histories
from omniretail.views.item_channels import item_channels
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train


@dataclass(eq=False)
class BiTGCF:
    """Bi-directional transfer graph collaborative filtering (Liu et al., CIKM 2020), for any number of channels.

    A customer has a vector in each channel. Each layer smooths the vectors over every channel's own graph, without
    feature transformation as in LightGCN (He et al., SIGIR 2020), and then exchanges those of customers who are in
    several channels (see ``exchanged``). Two departures from the paper: vectors are the mean over layers instead of
    their concatenation, and the loss is a softmax over negatives of the pair's own channel with cosine scores instead
    of binary cross-entropy. With one channel it is LightGCN.

    A customer who was not in training gets the vectors that the layers compute from their items.

    Args:
        dim: D.
        n_layers: of neighbours; vectors are exchanged after each, so there must be one.
        own_share: weight of a customer's own vector in a channel against those in others, the paper's lambda.
        temperature: of the cosine scores.
        n_negatives: shared by a batch.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: pairs of customer and item in a batch, all of one channel; the graph is propagated once for each.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    n_layers: int = 3
    own_share: float = 0.8
    temperature: float = 0.15
    n_negatives: int = 2048
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    batch_size: int = 32_768
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "n_layers", "n_negatives", "batch_size", low=1)
        at_least(self, "weight_decay")
        between(self, "own_share")
        above(self, "temperature", "learning_rate")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            TrainingError: where training cannot go on.
        """
        self.item_channel_ = item_channels(train)  # (I,)
        network = trained(
            self,
            lambda: BiTGCFNetwork(len(train.users), self.item_channel_, self),
            train.histories,
            validation=train.validation,
        )
        self.user_factors_, self.item_factors_, self.fold_in_ = network.factors()
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=len(train.items)).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a customer without any history gets the popular list."""
        vectors = _vectors(users, self.user_factors_, self.fold_in_, self.item_channel_, self.own_share)
        scores = _scores(vectors, self.item_factors_, self.item_channel_)
        rank_last(scores, self.popularity_ == 0)
        scores[users.lengths == 0] = self.popularity_
        return scores


class BiTGCFNetwork(nn.Module):
    """The vectors before propagation, which are learned. See ``TrainingTask`` for the methods."""

    user: Tensor
    item: Tensor
    adjacency: Tensor
    degree: Tensor

    def __init__(self, n_users: int, item_channel: np.ndarray, settings: BiTGCF) -> None:
        super().__init__()
        self.n_users, self.n_items, self.settings = n_users, len(item_channel), settings
        self.item_channel = item_channel
        self.n_channels = int(item_channel.max(initial=0)) + 1
        self.vectors = item_vectors(self.n_channels * n_users + self.n_items, settings.dim)
        self._factors: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def learn_from(self, histories: Histories) -> None:
        """Make one graph in which a customer is as many nodes as there are channels."""
        pairs = binary_user_items(histories).tocoo()
        channel = self.item_channel[pairs.col]
        parts = (channel * self.n_users + pairs.row, pairs.col)
        node, item = (torch.from_numpy(part.astype(np.int64)) for part in parts)
        self.register_buffer("user", node, persistent=False)
        self.register_buffer("item", item, persistent=False)
        nodes = self.n_channels * self.n_users
        self.register_buffer("adjacency", normalised_adjacency(node, item, nodes, self.n_items), persistent=False)
        degree = torch.bincount(node, minlength=nodes).view(self.n_channels, self.n_users).float()
        self.register_buffer("degree", degree, persistent=False)
        self.pair_channel = channel
        for each in range(self.n_channels):
            own = torch.from_numpy((self.item_channel == each).astype(np.float32))
            self.add_module(f"negatives{each}", Negatives(own, min(self.settings.n_negatives, self.n_items)))

    def batches(self, rng: np.random.Generator, parts: int) -> list[tuple[int, Tensor]]:
        """See ``TrainingTask``; each is a channel and the indices of some of its pairs."""
        size = max(1, self.settings.batch_size // parts)
        plan = []
        for channel in range(self.n_channels):
            pairs = rng.permutation(np.flatnonzero(self.pair_channel == channel))
            plan += [(channel, part) for part in torch.from_numpy(pairs).split(size) if len(part)]
        return [plan[place] for place in rng.permutation(len(plan))]

    def loss(self, batch: tuple[int, Tensor]) -> Tensor:
        """See ``TrainingTask``."""
        channel, pairs = batch
        pairs = pairs.to(self.user.device)
        users, items, _ = self.smoothed()
        states = F.normalize(F.embedding(self.user[pairs], users), dim=1) / self.settings.temperature
        draws: Any = self.get_submodule(f"negatives{channel}")
        negatives = draws.draw()
        negatives = negatives[draws.weights[negatives] > 0]  # all items may be drawn, other channels' too
        return sampled_softmax(*scores_of(states, F.normalize(items, dim=1), self.item[pairs], negatives))

    def smoothed(self) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Means over layers: customers' nodes (C * U, D) and items (I, D); and all layers of items."""
        nodes = self.n_channels * self.n_users
        layers = [self.vectors.weight]
        for _ in range(self.settings.n_layers):
            users, items = propagated(self.adjacency, layers[-1], 1)[1].split([nodes, self.n_items])
            users = exchanged(users.view(*self.degree.shape, -1), self.degree, self.settings.own_share)
            layers.append(torch.cat([users.flatten(0, 1), items]))
        mean = torch.stack(layers).mean(0)
        return mean[:nodes], mean[nodes:], [layer[nodes:] for layer in layers]

    @torch.no_grad()
    def factors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vectors of customers (C, U, D), of items (I, D), and each item's part in a new customer's (L, I, D)."""
        users, items, layers = self.smoothed()
        degree = torch.bincount(self.item, minlength=self.n_items).clamp_min(1).float()
        fold_in = torch.stack(layers[:-1]) / degree.sqrt()[:, None]
        users, items = users.view(self.n_channels, self.n_users, -1), F.normalize(items, dim=1)
        return users.cpu().numpy().copy(), items.cpu().numpy().copy(), fold_in.cpu().numpy().copy()

    def score(self, users: Histories) -> np.ndarray:
        """See ``TrainingTask``; propagates once, until training goes on."""
        self._factors = self._factors or self.factors()
        learned, items, fold_in = self._factors
        vectors = _vectors(users, learned, fold_in, self.item_channel, self.settings.own_share)
        return _scores(vectors, items, self.item_channel)

    def train(self, mode: bool = True) -> Self:
        """Training invalidates the cached factors."""
        self._factors = None
        return super().train(mode)


def _vectors(
    users: Histories, factors: np.ndarray, fold_in: np.ndarray, item_channel: np.ndarray, own_share: float
) -> np.ndarray:
    """The learned vectors, or for customers not in training the folded-in ones; shape (C, B, D)."""
    user_items = binary_user_items(users)
    one_hot = np.eye(len(factors), dtype=np.float32)[item_channel]  # (I, C)
    degree = torch.from_numpy((user_items @ one_hot).T.copy())  # (C, B)
    total = np.zeros((len(factors), len(users), factors.shape[-1]), dtype=np.float32)
    for layer in fold_in:
        own = np.stack([user_items @ (layer * one_hot[:, [channel]]) for channel in range(len(factors))])
        smooth = torch.from_numpy(own) / degree.clamp_min(1).sqrt()[..., None]
        total += exchanged(smooth, degree, own_share).numpy()
    in_training = (users.user_idx >= 0)[:, None]
    return np.where(in_training, factors[:, users.user_idx], total / (len(fold_in) + 1)).astype(np.float32)


def _scores(vectors: np.ndarray, items: np.ndarray, item_channel: np.ndarray) -> np.ndarray:
    """Product of each item with the customer's unit vector in the item's channel; float32, shape (B, I)."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    scores = np.empty((vectors.shape[1], len(items)), dtype=np.float32)
    for channel, own in enumerate(unit):
        here = item_channel == channel
        scores[:, here] = own @ items[here].T
    return scores
