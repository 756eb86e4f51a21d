"""TwHIN: vectors of a graph's nodes from its edges; a customer is made of the nodes they have edges to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from omniretail.core.checks import above, at_least
from omniretail.models.profiles.basket_batches import require_no_patience
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.graph_nodes import GraphNodes
from omniretail.nn.negatives import Negatives
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.profile.graph_edges import Edges
from omniretail.views.train import Train

_ITEMS_PER_VALUE = 8


@dataclass(eq=False)
class TwHIN:
    """Embeddings of a heterogeneous network (El-Kishky et al., KDD 2022), with customers made of their neighbours.

    Edges lead from customers to items and stores, and from items to attribute values. An edge is scored by the dot
    product of its end with its start, translated by the edge's type (TransE, Bordes et al., NeurIPS 2013), against
    negatives. Unlike in the paper a customer has no vector of their own: theirs is the weighted sum over their
    neighbours, without the one that is predicted, over the root of their number; so a new customer has one too.

    Args:
        dim: D.
        levels: columns of the item table whose values are nodes; those it lacks are ignored.
        translate: whether each type of edge has a translation.
        n_targets: edges of each customer that are predicted in an epoch.
        n_negatives: items drawn for each batch and shared by its edges.
        popularity: exponent of an item's number of events in that draw.
        store_weight: of the edges to stores in the loss.
        value_weight: of the edges to attribute values.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: customers in a batch.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    levels: Sequence[str] = ("department", "category", "brand", "type")
    translate: bool = True
    n_targets: int = 32
    n_negatives: int = 1024
    popularity: float = 0.75
    store_weight: float = 0.1
    value_weight: float = 0.5
    learning_rate: float = 0.01
    weight_decay: float = 0.01
    batch_size: int = 256
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        self.levels = list(self.levels)
        at_least(self, "dim", "n_targets", "n_negatives", "batch_size", low=1)
        at_least(self, "popularity", "store_weight", "value_weight", "weight_decay")
        above(self, "learning_rate")
        require_no_patience(self)

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            TrainingError: where training cannot go on.
        """
        names, _, value_level, self.item_values_ = item_attributes(train, self.levels)  # (I, A)
        ends = np.cumsum(np.bincount(value_level, minlength=len(names)))
        self.sizes_ = np.array([len(train.items), len(train.stores), *ends], dtype=np.int64)
        also = (self.item_values_, self.sizes_)
        self._network = trained(self, self.network, train.histories, *also)
        self.weights_ = weights_of(self._network)
        return self

    @torch.inference_mode()
    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``; an empty history lies at 0."""
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(self.network(), self.weights_)
        edges = Edges.of(users, int(self.sizes_[1]))
        node, weight, starts = (torch.from_numpy(each) for each in (edges.node, edges.weight, edges.offsets[:-1]))
        sums = self._network.nodes.sums(node, weight, starts)
        n = torch.from_numpy(np.maximum(np.diff(edges.offsets), 1)[:, None])
        return (sums / n.sqrt()).float().numpy()

    def network(self) -> "TwHINNetwork":
        """The untrained network."""
        return TwHINNetwork(self, [int(size) for size in self.sizes_], self.item_values_)


class TwHINNetwork(nn.Module):
    """Predicts edges. See ``TrainingTask`` for the methods."""

    node: Tensor
    weight: Tensor
    values: Tensor

    def __init__(self, settings: TwHIN, sizes: list[int], item_values: np.ndarray) -> None:
        super().__init__()
        self.settings, self.n_items, self.n_stores = settings, sizes[0], sizes[1]
        self.nodes = GraphNodes(sizes[0], sizes[1], sizes[2:], settings.dim, settings.translate)
        self.register_buffer("values", torch.from_numpy(item_values.astype(np.int64)), persistent=False)

    def learn_from(self, histories: Histories) -> None:
        """Put the edges where the network is."""
        edges = Edges.of(histories, self.n_stores)
        self.offsets = edges.offsets
        self.register_buffer("node", torch.from_numpy(edges.node), persistent=False)
        self.register_buffer("weight", torch.from_numpy(edges.weight), persistent=False)
        n_events = np.bincount(histories.item_idx, minlength=self.n_items)
        drawn = torch.from_numpy(n_events**self.settings.popularity * (n_events > 0)).float()
        self.negatives = Negatives(drawn, self.settings.n_negatives)

    def batches(self, rng: np.random.Generator, parts: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Some customers, and the edges of each to predict, drawn with replacement; shapes (B,) and (B, T)."""
        customers = rng.permutation(np.flatnonzero(np.diff(self.offsets) > 1))
        size = max(1, self.settings.batch_size // parts)
        batches = [customers[first : first + size] for first in range(0, len(customers), size)]
        return [(some, self._targets(some, rng)) for some in batches]

    def _targets(self, customers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        first, n = self.offsets[customers], np.diff(self.offsets)[customers]
        return first[:, None] + (rng.random((len(customers), self.settings.n_targets)) * n[:, None]).astype(np.int64)

    def loss(self, batch: tuple[np.ndarray, np.ndarray]) -> Tensor:
        """See ``TrainingTask``."""
        customers, targets = batch
        place = torch.from_numpy(targets).to(self.node.device)  # (B, T)
        node, weight = self.node[place], self.weight[place]
        sums, n = self._sums(customers)
        own = weight[..., None] * self.nodes.neighbours.weight[node]  # (B, T, D)
        others = ((sums[:, None] - own) / (n - 1).sqrt()[:, None, None]).flatten(0, 1)  # (B * T, D)
        node = node.flatten()
        of_item = node < self.n_items
        item = node[of_item]
        some = item[::_ITEMS_PER_VALUE]  # a softmax over many values costs more than the negatives
        loss = self.nodes.value_losses(some, self.values[some]) * self.settings.value_weight
        if len(item):
            loss = loss + self.nodes.item_loss(others[of_item], item, self.negatives)
        if not of_item.all():
            loss = loss + self.settings.store_weight * self.nodes.store_loss(
                others[~of_item], node[~of_item] - self.n_items
            )
        return loss

    def _sums(self, customers: np.ndarray) -> tuple[Tensor, Tensor]:
        """Weighted sums over the neighbours of some customers, (B, D), and the number of these, (B,)."""
        n = np.diff(self.offsets)[customers]
        starts = np.cumsum(n) - n
        place = np.arange(n.sum()) + np.repeat(self.offsets[customers] - starts, n)
        edge, first, number = (torch.from_numpy(each).to(self.node.device) for each in (place, starts, n))
        return self.nodes.sums(self.node[edge], self.weight[edge], first), number
