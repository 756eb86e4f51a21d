"""Blocks of attention beside a filter of frequencies (BSARec), over packed sequences."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.nn.dropout import ByteDropout
from omniretail.nn.packed import Packed, laid_out


class FrequencyFilter(nn.Module):
    """Rescale the high frequencies of a sequence beside its low ones, in each dimension by a learned factor.

    The low-pass is that of a discrete Fourier transform over ``max_len`` places, empty ones zero: a circular
    convolution, so that short sequences cost little.

    Args:
        dim: D.
        max_len: places of the transform.
        c: frequencies ``0 … c // 2`` are low.
    """

    kernel: Tensor

    def __init__(self, dim: int, max_len: int, c: int) -> None:
        super().__init__()
        self.root_of_factor = nn.Parameter(torch.randn(dim))
        lag = torch.arange(max_len)
        kernel = torch.zeros(max_len)
        for frequency in range(min(c // 2, max_len // 2) + 1):
            twice = 1 if frequency == 0 or 2 * frequency == max_len else 2
            kernel += twice * torch.cos(2 * math.pi * frequency * lag / max_len) / max_len
        self.register_buffer("kernel", kernel, persistent=False)  # (max_len,)

    def forward(self, inputs: Tensor, packed: Packed) -> Tensor:
        """(T, D) to (T, D)."""
        low = []
        for events, row, column, real in packed.groups():
            places = torch.arange(real.shape[1], device=inputs.device)
            kernel = self.kernel[(places[:, None] - places) % len(self.kernel)]  # (l, l)
            low.append((kernel @ laid_out(inputs[events], row, column, real))[row, column])
        return self._rescaled(inputs, torch.cat(low))

    def last(self, inputs: Tensor, packed: Packed) -> Tensor:
        """(T, D) to that of the last events alone, (B, D)."""
        weighted = self.kernel[packed.from_end % len(self.kernel)][:, None] * inputs
        low = torch.zeros_like(inputs[: len(packed.length)]).index_add(0, packed.row, weighted)
        return self._rescaled(inputs[packed.last], low)

    def _rescaled(self, inputs: Tensor, low: Tensor) -> Tensor:
        return low + self.root_of_factor**2 * (inputs - low)


class PackedAttention(nn.Module):
    """Multi-head attention of each event to itself and earlier ones of its sequence.

    Args:
        dim: D.
        heads: divides ``dim``.
        dropout: on the attention weights, in training.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, ByteDropout(dropout)
        self.query, self.key_value, self.out = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)

    def forward(self, inputs: Tensor, packed: Packed) -> Tensor:
        """(T, D) to (T, D)."""
        projected = torch.cat([self.query(inputs), self.key_value(inputs)], dim=-1)
        attended = []
        for events, row, column, real in packed.groups():
            rows = laid_out(projected[events], row, column, real).unflatten(-1, (3, self.heads, -1))
            query, key, value = rows.permute(2, 0, 3, 1, 4)  # (b, heads, l, D / heads)
            places = torch.arange(real.shape[1], device=inputs.device)
            later = places > places[:, None]
            weights = self._weights((query @ key.mT).masked_fill(later, -torch.inf))
            attended.append((weights @ value).transpose(1, 2).flatten(2)[row, column])
        return self.out(torch.cat(attended))

    def last(self, inputs: Tensor, packed: Packed) -> Tensor:
        """(T, D) to that of the last events alone, (B, D)."""
        query = self.query(inputs[packed.last]).unflatten(-1, (self.heads, -1))
        key, value = (part.unflatten(-1, (self.heads, -1)) for part in self.key_value(inputs).chunk(2, dim=-1))
        scores = query.new_full((len(query), int(packed.length[-1]), self.heads), -torch.inf)
        scores = scores.index_put((packed.row, packed.column), (query[packed.row] * key).sum(-1))
        weights = self._weights(scores.transpose(1, 2)).transpose(1, 2)[packed.row, packed.column]  # (T, heads)
        attended = torch.zeros_like(query).index_add(0, packed.row, weights[..., None] * value)
        return self.out(attended.flatten(1))

    def _weights(self, scores: Tensor) -> Tensor:
        width = self.query.out_features // self.heads
        return self.dropout(torch.softmax(scores / math.sqrt(width), dim=-1))


class FrequencyBlock(nn.Module):
    """The block of BSARec (Shin et al., AAAI 2024): a filter of frequencies beside attention, then a net.

    Args:
        dim: D.
        heads: of the attention.
        dropout: on the output of each part.
        attention_dropout: on the attention weights.
        max_len: longest sequence.
        alpha: share of the filter; 0: attention alone.
        c: see ``FrequencyFilter``.
    """

    def __init__(
        self, dim: int, heads: int, dropout: float, attention_dropout: float, max_len: int, alpha: float, c: int
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.filter, self.attention = FrequencyFilter(dim, max_len, c), PackedAttention(dim, heads, attention_dropout)
        self.after_filter, self.after_attention, self.after_net = (nn.LayerNorm(dim) for _ in range(3))
        self.wide, self.narrow = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.dropout = ByteDropout(dropout)

    def forward(self, inputs: Tensor, packed: Packed) -> Tensor:
        """(T, D) to (T, D)."""
        return self._mixed(inputs, self.filter(inputs, packed), self.attention(inputs, packed))

    def last(self, inputs: Tensor, packed: Packed) -> Tensor:
        """(T, D) to that of the last events alone, (B, D)."""
        return self._mixed(inputs[packed.last], self.filter.last(inputs, packed), self.attention.last(inputs, packed))

    def _mixed(self, inputs: Tensor, filtered: Tensor, attended: Tensor) -> Tensor:
        filtered = self.after_filter(inputs + self.dropout(filtered))
        attended = self.after_attention(inputs + self.dropout(attended))
        mixed = self.alpha * filtered + (1 - self.alpha) * attended
        return self.after_net(mixed + self.dropout(self.narrow(F.gelu(self.wide(mixed)))))
