"""Nodes of a heterogeneous graph: items, stores and attribute values have vectors, customers are made of them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.nn.losses import NEVER, sampled_softmax
from omniretail.nn.negatives import Negatives


class GraphNodes(nn.Module):
    """Vectors of nodes, and a translation for each type of edge.

    Args:
        n_items: I.
        n_stores: S.
        value_ends: the last value of each attribute, plus one; V is the last of them.
        dim: D.
        translate: whether each type of edge has a translation; without, an edge's score is a dot product.
    """

    def __init__(self, n_items: int, n_stores: int, value_ends: Sequence[int], dim: int, translate: bool) -> None:
        super().__init__()
        self.n_items, self.value_ends, self.translate = n_items, tuple(value_ends), translate
        self.neighbours = nn.EmbeddingBag(n_items + n_stores, dim, mode="sum")
        self.values = nn.Embedding(value_ends[-1] if value_ends else 0, dim)
        self.relations = nn.Parameter(torch.zeros(2 + len(value_ends), dim))
        for table in (self.neighbours, self.values):
            nn.init.normal_(table.weight, std=dim**-0.5)

    def sums(self, node: Tensor, weight: Tensor, starts: Tensor) -> Tensor:
        """Weighted sums over the neighbours of B customers; edges (E,), (E,), first of each (B,) to (B, D)."""
        return self.neighbours(node, starts, per_sample_weights=weight)

    def moved(self, vectors: Tensor, relation: int) -> Tensor:
        """Vectors (B, D) where an edge of one type would end."""
        return vectors + self.relations[relation] if self.translate else vectors

    def item_loss(self, users: Tensor, item: Tensor, negatives: Negatives) -> Tensor:
        """Of edges from users (T, D) to items (T,): softmax over the item and shared negatives, logQ-corrected."""
        start, drawn = self.moved(users, 0), negatives.draw()
        positive = (start * self.neighbours.weight[item]).sum(1)
        negative = start @ self.neighbours.weight[drawn].T - negatives.log_q[drawn]
        return sampled_softmax(positive, negative.masked_fill(item[:, None] == drawn, NEVER))

    def store_loss(self, users: Tensor, store: Tensor) -> Tensor:
        """Of edges from users (T, D) to stores (T,), counted from 0: softmax over all."""
        return F.cross_entropy(self.moved(users, 1) @ self.neighbours.weight[self.n_items :].T, store)

    def value_losses(self, item: Tensor, value: Tensor) -> Tensor:
        """Of edges from items (T,) to their values (T, A), -1 for none: the mean of a softmax over each attribute."""
        starts, losses = (0, *self.value_ends)[:-1], []
        for number, (first, end) in enumerate(zip(starts, self.value_ends, strict=True)):
            has = value[:, number] >= 0
            if has.any():
                start = self.moved(self.neighbours.weight[item[has]], 2 + number)
                losses.append(F.cross_entropy(start @ self.values.weight[first:end].T, value[has, number] - first))
        return torch.stack(losses).mean() if losses else self.relations.sum() * 0
