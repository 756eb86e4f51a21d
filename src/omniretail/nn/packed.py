"""Sequences of different lengths one after another, without padding, for networks that need the last state alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

_GROUPS = 4
"""Sequences of similar length are laid out together where a layer needs rows: little is padded then."""


@dataclass(frozen=True)
class Packed:
    """B sequences with T events in all, shortest first, none of them empty.

    Attributes:
        length: of each sequence; int64, shape (B,).
        row: the sequence of each event; int64, shape (T,).
        column: the place of each event in its sequence, 0 the oldest; int64, shape (T,).
        last: the position of each sequence's last event; int64, shape (B,).
    """

    length: Tensor
    row: Tensor
    column: Tensor
    last: Tensor

    @classmethod
    def of(cls, length: Tensor) -> "Packed":
        """Sequences of these lengths, which ascend and are above zero; shape (B,)."""
        end = length.cumsum(0)
        row = torch.repeat_interleave(torch.arange(len(length), device=length.device), length)
        column = torch.arange(len(row), device=length.device) - (end - length)[row]
        return cls(length, row, column, end - 1)

    @property
    def from_end(self) -> Tensor:
        """How many events of its sequence follow each event; shape (T,)."""
        return self.length[self.row] - 1 - self.column

    def groups(self) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
        """Sequences of similar length: their events, the rows and columns of these, and which places are real.

        Yields:
            A slice of T; rows within the group and columns, each (t,); a mask of shape (b, l).
        """
        bounds = torch.linspace(0, len(self.length), _GROUPS + 1).long().tolist()
        for first, end in pairwise(bounds):
            if first < end:
                events = slice(int(self.last[first] - self.length[first] + 1), int(self.last[end - 1] + 1))
                columns = torch.arange(int(self.length[end - 1]), device=self.row.device)
                real = columns < self.length[first:end, None]
                yield events, self.row[events] - first, self.column[events], real


def laid_out(events: Tensor, row: Tensor, column: Tensor, real: Tensor) -> Tensor:
    """A group's vectors (t, D) as rows (b, l, D), zero where nothing is real."""
    rows = events.new_zeros(*real.shape, events.shape[-1])
    return rows.index_put((row, column), events)
