"""BSARec: self-attention beside a filter of frequencies."""

from dataclasses import dataclass, field

from omniretail.core.checks import above, at_least, between, require
from omniretail.models.prefixes import PrefixNetwork
from omniretail.models.sequence_recommender import SequenceRecommender
from omniretail.models.training import Training
from omniretail.nn.encoders import FrequencyEncoder


@dataclass(eq=False)
class BSARec(SequenceRecommender):
    """Beyond self-attention for sequential recommendation (Shin et al., AAAI 2024).

    Each prefix of a history is a sample, which predicts the next basket's items by a softmax over the whole catalogue.
    ``alpha=0`` is attention alone, trained in the same way.

    Args:
        dim: D, width of item vectors and states.
        n_blocks: blocks of filter and attention.
        heads: of each block's attention.
        max_len: latest events of a history that are read.
        dropout: on events and on the output of each part of a block.
        attention_dropout: on the attention weights.
        alpha: share of the filter beside attention, in 0..1.
        c: frequencies ``0 … c // 2`` of a history are low ones.
        temperature: of scores between vectors of unit length; None: plain products, as in the paper.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_size: prefixes in a batch.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    n_blocks: int = 2
    heads: int = 1
    max_len: int = 50
    dropout: float = 0.5
    attention_dropout: float = 0.5
    alpha: float = 0.7
    c: int = 5
    temperature: float | None = None
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    batch_size: int = 256
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "n_blocks", "heads", "max_len", "c", "batch_size", low=1)
        at_least(self, "weight_decay")
        between(self, "dropout", "attention_dropout", "alpha")
        above(self, "temperature", "learning_rate")
        require(self, "heads", self.dim % self.heads == 0, f"divide dim={self.dim}")

    def network(self, n_items: int) -> PrefixNetwork:
        """The untrained network."""
        encoder = FrequencyEncoder(
            n_items,
            self.dim,
            self.max_len,
            self.n_blocks,
            self.heads,
            self.dropout,
            self.attention_dropout,
            self.alpha,
            self.c,
        )
        return PrefixNetwork(encoder, max_len=self.max_len, batch_size=self.batch_size, temperature=self.temperature)
