"""HSTU: sequential transduction units in place of attention."""

from dataclasses import dataclass, field

from omniretail.core.checks import above, at_least, between, require
from omniretail.models.sequence_recommender import SequenceRecommender
from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training import Training
from omniretail.nn.hstu import HSTUEncoder
from omniretail.nn.losses import sampled_softmax
from omniretail.views.sequences import SECONDS


@dataclass(eq=False)
class HSTU(SequenceRecommender):
    """Hierarchical sequential transduction units (Zhai et al., ICML 2024), for recommendation from item ids and times.

    As in the authors' experiments on public data, vectors have unit length and scores are divided by a temperature.

    Args:
        dim: D, width of item vectors and states.
        n_blocks: units.
        heads: of each unit.
        max_len: latest events of a history that are read.
        dropout: on events and on what each unit adds.
        n_negatives: drawn for each batch, shared by all its positions.
        temperature: of scores between vectors of unit length.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    n_blocks: int = 2
    heads: int = 1
    max_len: int = 50
    dropout: float = 0.2
    n_negatives: int = 1024
    temperature: float = 0.05
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_events: int = 1024
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "n_blocks", "heads", "max_len", "n_negatives", "batch_events", low=1)
        at_least(self, "weight_decay")
        between(self, "dropout")
        above(self, "temperature", "learning_rate")
        require(self, "heads", self.dim % self.heads == 0, f"divide dim={self.dim}")

    def network(self, n_items: int) -> SequenceNetwork:
        """The untrained network."""
        return SequenceNetwork(
            HSTUEncoder(n_items, self.dim, self.max_len, self.n_blocks, self.heads, self.dropout),
            sampled_softmax,
            max_len=self.max_len,
            context=[SECONDS],
            batch_events=self.batch_events,
            n_negatives=self.n_negatives,
            temperature=self.temperature,
        )
