"""Vectors of items: from ids, and from what is known of the items."""

import torch
from torch import Tensor, nn


class FeaturedItems(nn.Module):
    """The sum of an item's own vector and those of its attribute values and numbers, in place of ``nn.Embedding``.

    In training the own vectors of some items are left out, so that an item nobody has taken yet has a vector that means
    something. It has none of its own: ``without_id`` says which items those are.

    Args:
        own: vectors by id.
        values: attribute values of all items, item after item; int64.
        starts: where each item's values begin; shape (I,).
        n_values: V.
        dense: numbers of all items; shape (I, F).
        without_id: True for items that are read by their features alone; shape (I,).
        id_dropout: share of items whose own vector is left out of a batch.
    """

    values: Tensor
    starts: Tensor
    dense: Tensor
    has_id: Tensor

    def __init__(
        self,
        own: nn.Embedding,
        values: Tensor,
        starts: Tensor,
        n_values: int,
        dense: Tensor,
        without_id: Tensor,
        id_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding_dim, self.id_dropout = own.embedding_dim, id_dropout
        self.own = own
        self.of_values = nn.EmbeddingBag(max(1, n_values), self.embedding_dim, mode="mean")
        self.of_numbers = nn.Linear(max(1, dense.shape[1]), self.embedding_dim, bias=False)
        for layer in (self.of_values, self.of_numbers):
            nn.init.normal_(layer.weight, std=0.02)
        dense = dense if dense.shape[1] else dense.new_zeros(len(dense), 1)
        flat = {"values": values, "starts": starts, "dense": dense, "has_id": ~without_id}
        for name, tensor in flat.items():
            self.register_buffer(name, tensor, persistent=False)

    @property
    def weight(self) -> Tensor:
        """Vectors of the whole catalogue; shape (I, D)."""
        with_id = self.has_id
        if self.training and self.id_dropout:
            with_id = with_id & (torch.rand(len(with_id), device=with_id.device) >= self.id_dropout)
        of_features = self.of_values(self.values, self.starts) + self.of_numbers(self.dense)
        return of_features + self.own.weight * with_id[:, None]

    def forward(self, items: Tensor) -> Tensor:
        """Item indices of any shape to vectors, one dimension more."""
        return nn.functional.embedding(items, self.weight)
