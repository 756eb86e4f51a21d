"""Hierarchical sequential transduction units (HSTU): attention by SiLU, with a bias by places and times."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.nn.encoders import item_vectors

_TIME_BUCKETS = 128
_BUCKET_WIDTH = 0.301
"""Of the natural logarithm of seconds between two events, as in the authors' code: a bucket is a factor of 1.35."""


class HSTUBlock(nn.Module):
    """A unit of HSTU (Zhai et al., ICML 2024): weights need not sum to one, and a gate takes the place of a net.

    Args:
        dim: D.
        heads: divides ``dim``.
        dropout: on what each unit adds.
        max_len: longest sequence.
    """

    def __init__(self, dim: int, heads: int, dropout: float, max_len: int) -> None:
        super().__init__()
        self.heads, self.max_len = heads, max_len
        self.before, self.after = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.inputs, self.out = nn.Linear(dim, 4 * dim, bias=False), nn.Linear(dim, dim)
        self.by_lag = nn.Parameter(0.02 * torch.randn(max_len))
        self.by_time = nn.Parameter(0.02 * torch.randn(_TIME_BUCKETS))
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.inputs.weight, std=0.02)

    def forward(self, events: Tensor, bucket: Tensor) -> Tensor:
        """Vectors (B, L, D) and, from ``time_buckets``, (B, L, L); gives (B, L, D)."""
        gate, value, query, key = F.silu(self.inputs(self.before(events))).chunk(4, dim=-1)
        query, key, value = (each.unflatten(-1, (self.heads, -1)).transpose(1, 2) for each in (query, key, value))
        lag = torch.arange(events.shape[1], device=events.device)
        lag = lag[:, None] - lag
        bias = self.by_lag[lag.clamp_min(0)] + self.by_time[bucket]  # (B, L, L)
        weights = F.silu(query @ key.mT + bias[:, None]) / self.max_len
        attended = (weights * (lag >= 0) @ value).transpose(1, 2).flatten(2)
        return events + self.out(self.dropout(self.after(attended) * gate))


class HSTUEncoder(nn.Module):
    """Units of HSTU over the latest events; see ``SequenceEncoder``.

    Its context is the time of each event in seconds, whose differences weigh on attention.

    Args:
        n_items: I.
        dim: D.
        max_len: longest sequence.
        n_blocks: units.
        heads: of each unit.
        dropout: on events and on what each unit adds.
    """

    def __init__(self, n_items: int, dim: int, max_len: int, n_blocks: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.items = item_vectors(n_items, dim)
        self.position = nn.Embedding(max_len, dim)
        nn.init.normal_(self.position.weight, std=0.02)
        self.scale, self.dropout = dim**0.5, nn.Dropout(dropout)
        self.blocks = nn.ModuleList(HSTUBlock(dim, heads, dropout, max_len) for _ in range(n_blocks))

    def forward(self, items: Tensor, context: Tensor) -> Tensor:
        """See ``SequenceEncoder``; the context is (B, L, 1)."""
        place = torch.arange(items.shape[1], device=items.device)
        events = self.dropout(self.scale * self.items(items) + self.position(place))
        bucket = time_buckets(context[..., 0])
        for block in self.blocks:
            events = block(events, bucket)
        return events


def time_buckets(seconds: Tensor) -> Tensor:
    """Logarithmic buckets of the time between each two events; (B, L) to (B, L, L).

    The time of what is to be predicted is not known to a served model, so that of the event itself stands for it.
    """
    between = (seconds[:, :, None] - seconds[:, None, :]).abs().clamp_min(1)
    return (between.double().log() / _BUCKET_WIDTH).long().clamp_max(_TIME_BUCKETS - 1)
