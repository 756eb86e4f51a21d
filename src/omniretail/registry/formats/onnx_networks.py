"""The networks of neural recommenders with plain arrays in and vectors out, in operations that ONNX has.

``serving.onnx_inputs`` describes the arrays. A gather and a sum replace ``EmbeddingBag``, which becomes a loop in ONNX.
"""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from omniretail.models.recommenders.mult_vae import MultVAENetwork
from omniretail.models.recommenders.two_tower_network import TwoTowerNetwork
from omniretail.models.sequential import SequenceNetwork
from omniretail.nn.towers import unit

Inputs = Mapping[str, Tensor]
_OPSET = 20


class LastState(nn.Module):
    """The state of SASRec or GRU4Rec after the last event."""

    def __init__(self, task: SequenceNetwork) -> None:
        super().__init__()
        self.task = task

    def forward(self, inputs: Inputs) -> Tensor:
        """Vectors of users, (B, D)."""
        vectors, _ = self.task._comparable(last(self.task.encoder(inputs["item"], context_of(inputs)), inputs))
        return zero_where_empty(vectors, inputs)


class Recurrent(nn.Module):
    """ONNX's own operator instead of a ``GRU`` with ``batch_first``.

    Captured by ``torch.export`` (2.13), a GRU either fixes the length of sequences to the example's or becomes a loop.
    It only works inside an exported file.
    """

    def __init__(self, units: nn.GRU) -> None:
        super().__init__()
        self.hidden, self.layers = units.hidden_size, units.num_layers
        for layer in range(self.layers):
            input_weights, state_weights, *biases = (reordered(each) for each in units.all_weights[layer])
            for name, value in (("input", input_weights), ("state", state_weights), ("bias", torch.cat(biases))):
                self.register_buffer(f"{name}_{layer}", value.detach()[None])

    def forward(self, events: Tensor) -> tuple[Tensor, None]:
        """(B, L, D) to (B, L, hidden)."""
        states = events.transpose(0, 1)  # (L, B, D)
        for layer in range(self.layers):
            weights = (getattr(self, f"{name}_{layer}") for name in ("input", "state", "bias"))
            states = torch.onnx.ops.symbolic(
                "GRU",
                (states, *weights),
                {"hidden_size": self.hidden, "linear_before_reset": 1},
                dtype=events.dtype,
                shape=(states.shape[0], 1, states.shape[1], self.hidden),
                version=_OPSET,
            ).squeeze(1)
        return states.transpose(0, 1), None


def with_onnx_gru(network: nn.Module) -> nn.Module:
    """The same network with every ``GRU`` replaced by ``Recurrent``."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.GRU):
                setattr(module, name, Recurrent(child))
    return network


def reordered(weights: Tensor) -> Tensor:
    """The reset, update and new gate, in torch's order, in ONNX's order: update, reset, new."""
    reset, update, new = weights.chunk(3)
    return torch.cat([update, reset, new])


class MultVAEVectors(nn.Module):
    """The input of Mult-VAE's last layer, and a one for its bias."""

    items: Tensor

    def __init__(self, task: MultVAENetwork) -> None:
        super().__init__()
        self.read, self.bias, self.encoder = task.read.weight, task.bias, task.encoder
        self.decoder, out = task.decoder[:-1], task.decoder[-1]
        assert isinstance(out, nn.Linear)
        self.register_buffer("items", torch.cat([out.weight, out.bias[:, None]], dim=1).detach(), persistent=False)

    def forward(self, inputs: Inputs) -> Tensor:
        """Vectors of users, (B, D)."""
        row, weight = inputs["row"], inputs["weight"]
        norm = summed(weight.square()[:, None], inputs).sqrt().clamp_min(1e-12)  # (B, 1)
        seen = self.read[inputs["taken"]] * (weight[:, None] / norm[row])  # (P, hidden)
        mean, _ = self.encoder(torch.tanh(summed(seen, inputs) + self.bias)).chunk(2, dim=1)
        hidden = self.decoder(mean)
        return zero_where_empty(torch.cat([hidden, torch.ones_like(hidden[:, :1])], dim=1), inputs)


class LightGCNVectors(nn.Module):
    """LightGCN's vector of a training user, or the one folded in."""

    users: Tensor
    fold_in: Tensor

    def __init__(self, users: np.ndarray, fold_in: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("users", torch.from_numpy(users))
        self.register_buffer("fold_in", torch.from_numpy(fold_in))

    def forward(self, inputs: Inputs) -> Tensor:
        """Vectors of users, (B, D)."""
        degree = inputs["length"].clamp_min(1)[:, None].float()
        folded = summed(self.fold_in[inputs["taken"]], inputs) / degree.sqrt()
        user = inputs["user"]
        return zero_where_empty(torch.where(user[:, None] >= 0, self.users[user.clamp_min(0)], folded), inputs)


class TowerVectors(nn.Module):
    """The user tower's vector; the mean vectors of training users' attributes are a table."""

    items: Tensor
    attributes: Tensor

    def __init__(self, task: TwoTowerNetwork, items: Tensor) -> None:
        super().__init__()
        with torch.no_grad():
            attributes = task.user_tower.attributes(*task._flat(task.user_attributes))  # (U, D)
        self.tower = copy.deepcopy(task.user_tower)
        self.tower.attributes = _First()  # type: ignore[assignment]  # its input is the mean already
        self.register_buffer("items", items)
        self.register_buffer("attributes", torch.cat([torch.zeros_like(attributes[:1]), attributes]))

    def forward(self, inputs: Inputs) -> Tensor:
        """Vectors of users, (B, D)."""
        events = self.items[inputs["item"]]  # (B, L, D)
        events = events * real(events, inputs)[..., None]
        return unit(last(self.tower(events, self.attributes[inputs["user"] + 1], inputs["length"]), inputs))


class _First(nn.Module):
    def forward(self, attributes: Tensor, _: Tensor) -> Tensor:
        return attributes


def real(states: Tensor, inputs: Inputs) -> Tensor:
    """True where a place of sequences (B, L, D) holds an event; (B, L)."""
    return torch.arange(states.shape[1]) < inputs["length"][:, None]


def last(states: Tensor, inputs: Inputs) -> Tensor:
    """The state after each user's last event, any where there is none; (B, L, D) to (B, D)."""
    at = (inputs["length"] - 1).clamp_min(0)
    return states[torch.arange(states.shape[0]), at]


def context_of(inputs: Inputs) -> Tensor:
    """Context of events, (B, L, C), C = 0 where none is read."""
    item = inputs["item"]
    return inputs["circumstance"] if "circumstance" in inputs else item.new_zeros((*item.shape, 0))


def summed(values: Tensor, inputs: Inputs) -> Tensor:
    """Values of pairs, summed by user; (P, D) to (B, D)."""
    return values.new_zeros(inputs["length"].shape[0], values.shape[1]).index_add(0, inputs["row"], values)


def zero_where_empty(vectors: Tensor, inputs: Inputs) -> Tensor:
    """Vectors, zero for users without a history; (B, D)."""
    return torch.where(inputs["length"][:, None] > 0, vectors, 0.0)
