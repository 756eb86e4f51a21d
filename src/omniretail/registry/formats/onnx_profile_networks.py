"""The networks of profile encoders; see ``onnx_networks``."""

from typing import Any

import torch
from torch import Tensor, nn

from omniretail.models.profiles.next_item import NextItem
from omniretail.models.training.networks import with_weights
from omniretail.registry.formats.onnx_networks import Inputs, context_of, last, real, zero_where_empty


class PooledStates(nn.Module):
    """NextItem's states, pooled."""

    def __init__(self, model: NextItem) -> None:
        super().__init__()
        self.pooling = model.pooling
        self.encoder = with_weights(model.network(), model.weights_).encoder

    def forward(self, inputs: Inputs) -> Tensor:
        """Vectors of users, (B, D)."""
        states = self.encoder(inputs["item"], context_of(inputs))
        return zero_where_empty(pooled(states, inputs, self.pooling), inputs)


class BasketStates(nn.Module):
    """The state in which a customer's baskets leave the recurrent network of CoLES or GRUAutoencoder."""

    def __init__(self, task: Any, pooling: str, squeeze: Any) -> None:
        super().__init__()
        self.encoder, self.units = task.encoder, task.state.units
        self.pooling, self.squeeze = pooling, squeeze

    def forward(self, inputs: Inputs) -> Tensor:
        """Vectors of users, (B, D)."""
        states, _ = self.units(self._baskets(inputs)[inputs["place"]])  # (B, L, D)
        return zero_where_empty(self.squeeze(pooled(states, inputs, self.pooling)), inputs)

    def _baskets(self, inputs: Inputs) -> Tensor:
        """Vectors of all baskets, (N, width); lines are summed as in ``BasketEncoder``."""
        code, basket, number = inputs["line_code"], inputs["line_basket"], inputs["number"]
        known = code > 0
        line = (self.encoder.codes.weight[code] * known[..., None]).sum(1)  # (M, width)
        total = number.new_zeros(number.shape[0], line.shape[1]).index_add(0, basket, line)
        count = number.new_zeros(number.shape[0]).index_add(0, basket, known.sum(1).float())
        lines = total / count.clamp_min(1).sqrt()[:, None]
        return self.encoder.joined(lines, number, inputs["basket_circumstance"])


def pooled(states: Tensor, inputs: Inputs, pooling: str) -> Tensor:
    """The ``last`` state, the ``mean`` of all, or ``both`` side by side; (B, L, D) to (B, D) or (B, 2 D)."""
    mean = (states * real(states, inputs)[..., None]).sum(1) / inputs["length"].clamp_min(1)[:, None]
    if pooling == "mean":
        return mean
    latest = last(states, inputs)
    return torch.cat([mean, latest], dim=1) if pooling == "both" else latest
