"""The network of ``WideAndDeep``."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class WideAndDeepNetwork(nn.Module):
    """A linear part beside a hidden layer; see ``training.lightning_module.TrainingTask`` for the methods.

    Args:
        n_features: F.
        n_values: V, attribute values.
        dim: D, of embeddings.
        width: of the hidden layer.
        dropout: of its input and output.
        ridges: penalties on the linear part and on the network.
        batch_size: rows.
    """

    space: Tensor
    """Embedding of each attribute value; (V, D)."""

    def __init__(
        self,
        n_features: int,
        n_values: int,
        dim: int,
        width: int,
        dropout: float,
        ridges: tuple[float, float],
        batch_size: int,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.ridges = ridges
        self.register_buffer("space", torch.zeros(n_values, dim))
        n_inputs = n_features + 3 * dim
        self.wide = nn.Linear(n_inputs, 1)
        nn.init.zeros_(self.wide.weight)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(n_inputs, width)
        self.top = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.top.weight)

    def initialise(self, bought: np.ndarray, rate: float) -> None:
        """Set the space from the training rows' purchases, and the bias from the share that acted.

        Args:
            bought: roots of shares; shape (N, V).
            rate: of rows that acted.
        """
        _, _, directions = np.linalg.svd(bought, full_matrices=False)
        leading = directions[: self.space.shape[1]]
        leading = leading * np.sign(leading.sum(axis=1, keepdims=True) + 1e-12)  # the same signs on every machine
        spread = np.maximum((bought @ leading.T).std(axis=0), 1e-6)  # of similar size, as the other features are
        with torch.no_grad():
            self.space[:, : len(leading)] = torch.from_numpy((leading.T / spread).astype(np.float32))
            self.wide.bias.fill_(float(np.log(rate / (1 - rate))))

    def learn_from(self, *arrays: np.ndarray) -> None:
        """Rows, as ``forward`` takes them, and outcomes last."""
        for name, array in zip(("x", "bought", "offered", "y"), arrays, strict=True):
            self.register_buffer(f"rows_{name}", torch.from_numpy(array.astype(np.float32)), persistent=False)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Any]:
        """Rows in random order."""
        size = max(1, self.batch_size // parts)
        order = rng.permutation(len(self.get_buffer("rows_y")))
        return [torch.from_numpy(order[start : start + size]) for start in range(0, len(order), size)]

    def loss(self, batch: Tensor) -> Tensor:
        """Cross entropy and penalties."""
        rows = batch.to(self.space.device)
        x, bought, offered, y = (self.get_buffer(f"rows_{name}")[rows] for name in ("x", "bought", "offered", "y"))
        wide, deep = self.ridges
        network = self.hidden.weight.square().sum() + self.top.weight.square().sum()
        penalty = wide * self.wide.weight.square().sum() + deep * network
        return functional.binary_cross_entropy_with_logits(self(x, bought, offered), y) + penalty / 2

    def forward(self, x: Tensor, bought: Tensor, offered: Tensor) -> Tensor:
        """Features (N, F) and shares bought and offered (N, V) to logits (N,)."""
        customer, offer = bought @ self.space, offered @ self.space  # (N, D)
        inputs = torch.cat([x, customer, offer, customer * offer], dim=1)  # (N, F + 3 D)
        hidden = functional.gelu(self.hidden(self.dropout(inputs)))  # (N, width)
        return (self.wide(inputs) + self.top(self.dropout(hidden))).squeeze(1)
