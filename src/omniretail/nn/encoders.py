"""Sequence encoders: from events to the state after each of them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from omniretail.nn.blocks import Block, stack
from omniretail.nn.dropout import ByteDropout
from omniretail.nn.frequency import FrequencyBlock
from omniretail.nn.item_vectors import FeaturedItems
from omniretail.nn.packed import Packed

WithFeatures = Callable[[nn.Embedding], FeaturedItems]


class SequenceEncoder(Protocol):
    """What the training of a sequence model needs from it; an ``nn.Module``."""

    items: nn.Embedding | FeaturedItems

    def forward(self, items: Tensor, context: Tensor) -> Tensor:
        """States after each event.

        Args:
            items: left-aligned; padding after a sequence's end changes no state before it; int64, (B, L).
            context: codes of each event's circumstances; int64, (B, L, C).

        Returns:
            Shape (B, L, D).
        """
        ...


class EventEmbedding(nn.Module):
    """An event's vector is the sum of the vectors of its item and its circumstances.

    Args:
        items: the catalogue's vectors, shared with the scores.
        context_sizes: number of codes of each of C circumstances.
    """

    def __init__(self, items: nn.Embedding | FeaturedItems, context_sizes: Sequence[int]) -> None:
        super().__init__()
        self.items = items
        self.context = nn.ModuleList(nn.Embedding(size, items.embedding_dim) for size in context_sizes)
        for table in self.context:
            nn.init.normal_(table.weight, std=0.02)  # type: ignore[arg-type]

    def forward(self, items: Tensor, context: Tensor) -> Tensor:
        """(B, L) and (B, L, C) to (B, L, D)."""
        event = self.items(items)
        for place, table in enumerate(self.context):
            event = event + table(context[..., place])
        return event


class TransformerEncoder(nn.Module):
    """Causal self-attention over the latest events, as in SASRec.

    Args:
        n_items: I.
        dim: D.
        max_len: longest sequence.
        n_blocks: transformer blocks.
        heads: of each block's attention.
        dropout: throughout.
        block: ``classic`` or ``ligr``.
        event_dropout: share of events of which only the position is read in training.
        context_sizes: number of codes of each circumstance.
        features: makes vectors of items from their own and their features; None: their own alone.
    """

    def __init__(
        self,
        n_items: int,
        dim: int,
        max_len: int,
        n_blocks: int,
        heads: int,
        dropout: float,
        block: Block,
        event_dropout: float = 0.0,
        context_sizes: Sequence[int] = (),
        features: WithFeatures | None = None,
    ) -> None:
        super().__init__()
        self.items = item_vectors(n_items, dim, features)
        self.event = EventEmbedding(self.items, context_sizes)
        self.position = nn.Embedding(max_len, dim)
        nn.init.normal_(self.position.weight, std=0.02)
        self.dropout, self.event_dropout = nn.Dropout(dropout), event_dropout
        self.blocks = stack(block, n_blocks, dim, heads, dropout)

    def forward(self, items: Tensor, context: Tensor) -> Tensor:
        """See ``SequenceEncoder``."""
        event = self.event(items, context)  # (B, L, D)
        if self.training and self.event_dropout:
            event = event * (torch.rand(items.shape, device=items.device) >= self.event_dropout)[..., None]
        place = torch.arange(items.shape[1], device=items.device)
        return self.blocks(self.dropout(event + self.position(place)))  # (B, L, D)


class FrequencyEncoder(nn.Module):
    """The state after the last event of each sequence, by blocks as in BSARec.

    Places are counted from the end: the last event's has the same vector in every sequence.

    Args:
        n_items: I.
        dim: D.
        max_len: longest sequence.
        n_blocks: blocks of attention and filter.
        heads: of each block's attention.
        dropout: on events and the output of each part of a block.
        attention_dropout: on the attention weights.
        alpha: share of the filter in each block.
        c: see ``FrequencyFilter``.
    """

    def __init__(
        self,
        n_items: int,
        dim: int,
        max_len: int,
        n_blocks: int,
        heads: int,
        dropout: float,
        attention_dropout: float,
        alpha: float,
        c: int,
    ) -> None:
        super().__init__()
        self.items = item_vectors(n_items, dim)
        self.place = nn.Embedding(max_len, dim)
        self.blocks = nn.ModuleList(
            FrequencyBlock(dim, heads, dropout, attention_dropout, max_len, alpha, c) for _ in range(n_blocks)
        )
        self.norm, self.dropout = nn.LayerNorm(dim), ByteDropout(dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, items: Tensor, packed: Packed) -> Tensor:
        """Item indices (T,) to states (B, D)."""
        event = self.dropout(self.norm(self.items(items) + self.place(packed.from_end)))
        *first, last = self.blocks
        for block in first:
            event = block(event, packed)
        return last.last(event, packed)  # type: ignore[operator]


class GRUEncoder(nn.Module):
    """Gated recurrent units over the events, as in GRU4Rec.

    Args:
        n_items: I.
        dim: D, of the items and the states.
        hidden: width of the recurrent layers.
        n_layers: recurrent layers.
        dropout: on events and states.
        context_sizes: number of codes of each circumstance.
        features: makes vectors of items from their own and their features; None: their own alone.
    """

    def __init__(
        self,
        n_items: int,
        dim: int,
        hidden: int,
        n_layers: int,
        dropout: float,
        context_sizes: Sequence[int] = (),
        features: WithFeatures | None = None,
    ) -> None:
        super().__init__()
        self.items = item_vectors(n_items, dim, features)
        self.event = EventEmbedding(self.items, context_sizes)
        self.units = nn.GRU(dim, hidden, n_layers, batch_first=True)
        self.out = nn.Linear(hidden, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, items: Tensor, context: Tensor) -> Tensor:
        """See ``SequenceEncoder``."""
        hidden, _ = self.units(self.dropout(self.event(items, context)))  # (B, L, hidden)
        return self.out(self.dropout(hidden))  # (B, L, D)


def item_vectors(n_items: int, dim: int, features: WithFeatures | None = None) -> Any:
    """Vectors of the catalogue, initially small so that all items are about equally likely."""
    table = nn.Embedding(n_items, dim)
    nn.init.normal_(table.weight, std=0.02)
    return table if features is None else features(table)
