"""Baskets as vectors, and customers as the state of a recurrent network after their baskets."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Pooling = Literal["last", "mean"]
_NARROW = 16


class BasketEncoder(nn.Module):
    """A basket from its lines, its numbers and its circumstances, as in CoLES.

    Args:
        n_codes: of items and attribute values; code 0 is padding.
        sizes: number of codes of each of C circumstances.
        n_numbers: F.
        dim: width of the vectors of codes, and of the basket.
        dropout: on the vector of the lines, in training.
    """

    def __init__(self, n_codes: int, sizes: Sequence[int], n_numbers: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.codes = nn.EmbeddingBag(n_codes, dim, mode="sum", padding_idx=0)
        self.circumstances = nn.ModuleList(nn.Embedding(size, min(_NARROW, size)) for size in sizes)
        self.dropout = nn.Dropout(dropout)
        self.net = nn.Linear(dim + sum(min(_NARROW, size) for size in sizes) + n_numbers, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, codes: Tensor, starts: Tensor, numbers: Tensor, circumstances: Tensor) -> Tensor:
        """Vectors of N baskets.

        Args:
            codes: of their lines, basket after basket; int64, shape (M, K).
            starts: the first line of each; shape (N,).
            numbers: shape (N, F).
            circumstances: int64, shape (N, C).

        Returns:
            Shape (N, dim).
        """
        return self.joined(self.dropout(self._lines(codes, starts)), numbers, circumstances)

    def joined(self, lines: Tensor, numbers: Tensor, circumstances: Tensor) -> Tensor:
        """The same from one vector for all lines of a basket, (N, dim)."""
        embedded = [table(code) for table, code in zip(self.circumstances, circumstances.T, strict=True)]
        return self.norm(torch.relu(self.net(torch.cat([lines, *embedded, numbers], dim=1))))

    def _lines(self, codes: Tensor, starts: Tensor) -> Tensor:
        """The sum over the root of the number of codes: in large baskets a line counts more than in the mean."""
        n_codes = (codes > 0).sum(1).cumsum(0)
        ends = torch.cat([starts[1:], starts.new_tensor([len(codes)])]) - 1
        count = n_codes[ends].diff(prepend=n_codes.new_zeros(1)).clamp_min(1)
        return self.codes(codes.flatten(), starts * codes.shape[1]) / count.sqrt()[:, None]


class SequenceReader(nn.Module):
    """Gated recurrent units over events, pooled to one vector per sequence.

    Args:
        width: of the events.
        dim: of the states.
        pooling: the ``last`` state, or the ``mean`` of all.
    """

    def __init__(self, width: int, dim: int, pooling: Pooling = "last") -> None:
        super().__init__()
        self.units, self.pooling = nn.GRU(width, dim, batch_first=True), pooling

    def forward(self, events: Tensor, lengths: Tensor) -> Tensor:
        """(B, L, width), left-aligned, and lengths of 1 or more, (B,), to (B, dim)."""
        packed = pack_padded_sequence(events, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, last = self.units(packed)
        if self.pooling == "last":
            return last[-1]
        padded, lengths = pad_packed_sequence(states, batch_first=True)  # zero after a sequence's end
        return padded.sum(1) / lengths.to(padded.device)[:, None]


class BasketDecoder(nn.Module):
    """Reconstructs a sequence from one vector, first event first.

    Args:
        dim: D, of the vector.
        hidden: of the recurrent layer.
        max_len: of the sequences.
        n_targets: T, attribute values whose shares are reconstructed.
        n_numbers: F, numbers that are reconstructed.
    """

    def __init__(self, dim: int, hidden: int, max_len: int, n_targets: int, n_numbers: int) -> None:
        super().__init__()
        self.place = nn.Embedding(max_len, hidden)
        self.start, self.condition = nn.Linear(dim, hidden), nn.Linear(dim, hidden)
        self.units = nn.GRU(hidden, hidden, batch_first=True)
        self.targets, self.numbers = nn.Linear(hidden, n_targets), nn.Linear(hidden, n_numbers)

    def forward(self, vectors: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Vectors (B, D) to scores of the targets, (B, length, T), and the numbers, (B, length, F)."""
        steps = self.place.weight[:length] + self.condition(vectors)[:, None]  # (B, L, hidden)
        states, _ = self.units(steps, torch.tanh(self.start(vectors))[None])
        return self.targets(states), self.numbers(states)
