"""Negative items, drawn for a batch and shared by its positions."""

import torch
from torch import Tensor, nn

from omniretail.nn.losses import log_expected


class Negatives(nn.Module):
    """Draws with replacement; every item once where ``n`` is the size of the catalogue or more.

    Args:
        weights: chance of each item, in any unit; float32, shape (I,).
        n: items per draw.
    """

    weights: Tensor
    log_q: Tensor

    def __init__(self, weights: Tensor, n: int) -> None:
        super().__init__()
        self.n, self.all = n, n >= len(weights)
        self.register_buffer("weights", weights, persistent=False)
        log_q = torch.zeros_like(weights) if self.all else log_expected(weights, n)
        self.register_buffer("log_q", log_q, persistent=False)

    def draw(self) -> Tensor:
        """Items; int64, shape (N,)."""
        if self.all:
            return torch.arange(len(self.weights), device=self.weights.device)
        return torch.multinomial(self.weights, self.n, replacement=True)
