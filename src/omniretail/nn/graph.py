"""Propagation over the graph of users and their items."""

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its name everywhere)


def normalised_adjacency(users: Tensor, items: Tensor, n_users: int, n_items: int) -> Tensor:
    """Edges between users and items, each weighing ``1 / sqrt(degree * degree)``.

    Args:
        users: of E distinct pairs; int64, shape (E,).
        items: of the same pairs; shape (E,).
        n_users: U.
        n_items: I.

    Returns:
        Symmetric, sparse CSR, users first; shape (U + I, U + I).
    """
    size = n_users + n_items
    row = torch.cat([users, items + n_users])
    column = torch.cat([items + n_users, users])
    degree = torch.bincount(row, minlength=size).clamp_min(1).float()
    weight = (degree[row] * degree[column]).rsqrt()
    order = torch.argsort(row * size + column)
    starts = torch.zeros(size + 1, dtype=torch.int64)
    starts[1:] = torch.bincount(row, minlength=size).cumsum(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(starts, column[order], weight[order], (size, size), check_invariants=False)


def propagated(adjacency: Tensor, vectors: Tensor, n_layers: int) -> list[Tensor]:
    """The vectors, and the output of each layer of neighbours; ``n_layers + 1`` tensors of shape (N, D)."""
    layers = [vectors]
    with torch.autocast(vectors.device.type, enabled=False):  # sparse products have no half precision
        for _ in range(n_layers):
            layers.append(_Neighbours.apply(layers[-1], adjacency))  # type: ignore[arg-type]
    return layers


class _Neighbours(torch.autograd.Function):
    """A product with a symmetric sparse matrix, which is its own transpose in the backward pass."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, adjacency: Tensor) -> Tensor:
        ctx.adjacency = adjacency
        return _product(adjacency, vectors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _product(ctx.adjacency, gradients[0].float()), None


def _product(adjacency: Tensor, vectors: Tensor) -> Tensor:
    """As weighted sums of rows, which on a CPU take a third of the time of torch's sparse product."""
    starts, neighbours, weights = adjacency.crow_indices(), adjacency.col_indices(), adjacency.values()
    return F.embedding_bag(
        neighbours, vectors, starts, mode="sum", per_sample_weights=weights, include_last_offset=True
    )
