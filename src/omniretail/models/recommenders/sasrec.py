"""SASRec: self-attention over a user's events in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

from omniretail.core.checks import above, at_least, between, one_of, require
from omniretail.models.sequence_recommender import SequenceRecommender
from omniretail.models.sequential import SequenceNetwork, require_context
from omniretail.models.training import Training
from omniretail.nn.blocks import Block
from omniretail.nn.encoders import TransformerEncoder
from omniretail.nn.losses import bce, gbce, sampled_softmax
from omniretail.nn.repeats import OwnItems
from omniretail.views.sequences import CIRCUMSTANCES

_LOSSES = ("softmax", "sampled_softmax", "bce", "gbce")


@dataclass(eq=False)
class SASRec(SequenceRecommender):
    """Self-attentive sequential recommendation (Kang & McAuley, ICDM 2018), with later losses and blocks.

    The original is ``loss=bce, n_negatives=1, block=classic``; eSASRec (Tikhonovich et al., RecSys 2025) is
    ``loss=sampled_softmax, block=ligr``. It predicts the items of the next basket from the state after the basket
    before; where every basket holds one event, that is the next item.

    Args:
        dim: D, width of item vectors and states.
        n_blocks: transformer blocks.
        heads: of each block's attention.
        max_len: latest events of a history that are read.
        dropout: throughout.
        event_dropout: share of events of which only the position is read in training.
        block: ``classic`` or ``ligr``.
        loss: ``softmax`` (the whole catalogue), ``sampled_softmax``, ``bce`` or ``gbce``.
        n_negatives: drawn for each batch, shared by all its positions.
        popularity: exponent of an item's popularity in that draw; 0: all items alike.
        log_q: correct sampled scores for how likely each negative was drawn.
        gbce_t: see ``nn.losses.gbce``.
        temperature: of scores between vectors of unit length, as in HSTU's training; None: plain products.
        context: of ``gap``, ``repeat``, ``event_type``, ``channel``: inputs beside the items.
        own_items: learn a bonus for items of the user's history, by age and item; for customers who buy again, with
            ``loss=sampled_softmax``.
        item_features: columns of the item table that items are known by beside their ids: categories, numbers, texts.
        item_vectors: Parquet file of ``item_id`` and ``vector``, such as a sentence encoder's; None: none.
        id_dropout: share of items that are known by their features alone in a batch, so that new items are, too.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    n_blocks: int = 2
    heads: int = 2
    max_len: int = 50
    dropout: float = 0.2
    event_dropout: float = 0.0
    block: Block = "classic"
    loss: str = "sampled_softmax"
    n_negatives: int = 1024
    popularity: float = 0.0
    log_q: bool = False
    gbce_t: float = 0.75
    temperature: float | None = None
    context: Sequence[str] = ()
    own_items: bool = False
    item_features: Sequence[str] = ()
    item_vectors: str | None = None
    id_dropout: float = 0.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_events: int = 1024
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "n_blocks", "heads", "max_len", "n_negatives", "batch_events", low=1)
        at_least(self, "popularity", "weight_decay")
        between(self, "id_dropout", "dropout", "event_dropout", "gbce_t")
        above(self, "temperature", "learning_rate")
        one_of(self, "block", get_args(Block))
        one_of(self, "loss", _LOSSES)
        require(self, "heads", self.dim % self.heads == 0, f"divide dim={self.dim}")
        sampled = self.loss == "sampled_softmax"
        require(self, "log_q", sampled or not self.log_q, "be False unless loss=sampled_softmax")
        require(self, "own_items", sampled or not self.own_items, "be False unless loss=sampled_softmax")
        self.context, self.item_features = require_context(self), list(self.item_features)

    def network(self, n_items: int) -> SequenceNetwork:
        """The untrained network."""
        losses = {"softmax": None, "sampled_softmax": sampled_softmax, "bce": bce, "gbce": gbce(n_items, self.gbce_t)}
        encoder = TransformerEncoder(
            n_items,
            self.dim,
            self.max_len,
            self.n_blocks,
            self.heads,
            self.dropout,
            self.block,
            self.event_dropout,
            [CIRCUMSTANCES.get(name, 0) for name in self.context],
            self.with_features(),
        )
        return SequenceNetwork(
            encoder,
            losses[self.loss],
            max_len=self.max_len,
            context=self.context,
            batch_events=self.batch_events,
            n_negatives=self.n_negatives,
            popularity=self.popularity,
            log_q=self.log_q,
            temperature=self.temperature,
            own_items=OwnItems(n_items) if self.own_items else None,
        )
