"""GRU4Rec: a recurrent network over a user's events in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from omniretail.core.checks import above, at_least, between, one_of
from omniretail.models.sequence_recommender import SequenceRecommender
from omniretail.models.sequential import SequenceNetwork, require_context
from omniretail.models.training import Training
from omniretail.nn.encoders import GRUEncoder
from omniretail.nn.losses import bpr, bpr_max, sampled_softmax, top1, top1_max
from omniretail.views.sequences import CIRCUMSTANCES

_LOSSES = ("cross_entropy", "bpr_max", "top1", "top1_max", "bpr")


@dataclass(eq=False)
class GRU4Rec(SequenceRecommender):
    """Recurrent recommendation (Hidasi et al., ICLR 2016; losses of Hidasi & Karatzoglou, CIKM 2018).

    Negatives are drawn for each batch by popularity to the power of ``popularity``, as in the authors' later versions;
    the batch's own targets are not negatives as well. A session is a user's whole history.

    Args:
        dim: D, width of item vectors, which are both input and output.
        hidden: width of the recurrent layer.
        n_layers: recurrent layers.
        max_len: latest events of a history that are read.
        dropout: on events and states.
        loss: ``cross_entropy``, ``bpr_max``, ``top1``, ``top1_max`` or ``bpr``.
        bpr_max_regularization: see ``nn.losses.bpr_max``.
        n_negatives: drawn for each batch.
        popularity: exponent of an item's popularity in that draw.
        context: of ``gap``, ``repeat``, ``event_type``, ``channel``: inputs beside the items.
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
    hidden: int = 128
    n_layers: int = 1
    max_len: int = 50
    dropout: float = 0.3
    loss: str = "cross_entropy"
    bpr_max_regularization: float = 1.0
    n_negatives: int = 2048
    popularity: float = 0.75
    context: Sequence[str] = ()
    item_features: Sequence[str] = ()
    item_vectors: str | None = None
    id_dropout: float = 0.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_events: int = 1024
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "hidden", "n_layers", "max_len", "n_negatives", "batch_events", low=1)
        at_least(self, "bpr_max_regularization", "popularity", "weight_decay")
        between(self, "id_dropout", "dropout")
        above(self, "learning_rate")
        one_of(self, "loss", _LOSSES)
        self.context, self.item_features = require_context(self), list(self.item_features)

    def network(self, n_items: int) -> SequenceNetwork:
        """The untrained network."""
        losses = {
            "cross_entropy": sampled_softmax,
            "bpr_max": bpr_max(self.bpr_max_regularization),
            "top1": top1,
            "top1_max": top1_max,
            "bpr": bpr,
        }
        sizes = [CIRCUMSTANCES.get(name, 0) for name in self.context]
        shape = (n_items, self.dim, self.hidden, self.n_layers, self.dropout)
        encoder = GRUEncoder(*shape, sizes, self.with_features())
        return SequenceNetwork(
            encoder,
            losses[self.loss],
            max_len=self.max_len,
            context=self.context,
            batch_events=self.batch_events,
            n_negatives=self.n_negatives,
            popularity=self.popularity,
            log_q=self.loss == "cross_entropy",
        )
