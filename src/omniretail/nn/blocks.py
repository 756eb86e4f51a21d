"""Causal transformer blocks over left-aligned sequences."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

Block = Literal["classic", "ligr"]


class CausalAttention(nn.Module):
    """Multi-head attention of each position to itself and earlier ones.

    Args:
        dim: D, width of the vectors in and out.
        heads: divides ``dim``.
        dropout: on the attention weights, in training.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"heads={heads} must divide dim={dim}")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, queries: Tensor, inputs: Tensor) -> Tensor:
        """Both (B, L, D); gives (B, L, D)."""
        query = self._by_head(self.query(queries))  # (B, heads, L, D / heads)
        key, value = (self._by_head(part) for part in self.key_value(inputs).chunk(2, dim=-1))
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        return self.out(attended.transpose(1, 2).flatten(2))

    def _by_head(self, vectors: Tensor) -> Tensor:
        return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class ClassicBlock(nn.Module):
    """The block of SASRec (Kang & McAuley, ICDM 2018): normalised queries, plain keys, a narrow feed-forward net."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.before_attention, self.before_net = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = CausalAttention(dim, heads, dropout)
        self.wide, self.narrow = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, L, D) to (B, L, D)."""
        queries = self.before_attention(inputs)
        attended = self.before_net(queries + self.dropout(self.attention(queries, inputs)))
        return attended + self.dropout(self.narrow(self.dropout(F.relu(self.wide(attended)))))


class LiGRBlock(nn.Module):
    """The block of LiGR (Borisyuk et al., 2025), used by eSASRec too: attention and net are gated, the net is SwiGLU.

    The gates read the block's input, so a block can pass it on unchanged.

    Args:
        dim: D.
        heads: of the attention.
        dropout: on the output of attention and net.
        expansion: width of the feed-forward net, in ``dim``.
    """

    def __init__(self, dim: int, heads: int, dropout: float, expansion: int = 4) -> None:
        super().__init__()
        self.before_attention, self.before_net = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = CausalAttention(dim, heads, dropout)
        self.attention_gate, self.net_gate = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.wide, self.narrow = nn.Linear(dim, 2 * expansion * dim), nn.Linear(expansion * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, L, D) to (B, L, D)."""
        normed = self.before_attention(inputs)
        gate = torch.sigmoid(self.attention_gate(inputs))
        attended = inputs + self.dropout(gate * self.attention(normed, normed))
        return attended + self.dropout(torch.sigmoid(self.net_gate(attended)) * self._net(self.before_net(attended)))

    def _net(self, vectors: Tensor) -> Tensor:
        gate, value = self.wide(vectors).chunk(2, dim=-1)
        return self.narrow(self.dropout(F.silu(gate) * value))


def stack(block: Block, n_blocks: int, dim: int, heads: int, dropout: float) -> nn.Sequential:
    """Blocks one after another, and a final normalisation.

    Raises:
        ValueError: where there is no such block.
    """
    kinds = {"classic": ClassicBlock, "ligr": LiGRBlock}
    if block not in kinds:
        raise ValueError(f"block={block!r} must be one of {', '.join(kinds)}")
    return nn.Sequential(*(kinds[block](dim, heads, dropout) for _ in range(n_blocks)), nn.LayerNorm(dim))
