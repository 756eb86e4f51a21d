"""SASRec: self-attention over what a user took, in order."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.blocks import Block
from omniretail.nn.encoders import TransformerEncoder
from omniretail.nn.losses import bce, gbce, sampled_softmax
from omniretail.nn.repeats import OwnItems
from omniretail.views.histories import Histories
from omniretail.views.sequences import CIRCUMSTANCES
from omniretail.views.train import Train


class SASRec:
    """Self-attentive sequential recommendation (Kang & McAuley, ICDM 2018), with what has been learned since.

    The original is ``loss=bce, n_negatives=1, block=classic``; eSASRec (Tikhonovich et al., RecSys 2025) is
    ``loss=sampled_softmax, block=ligr``. What is predicted are the items of the next basket, from the state after the
    basket before; where every basket holds one event, that is the next item.

    Args:
        dim: D, width of item vectors and states.
        n_blocks: transformer blocks.
        heads: of each block's attention.
        max_len: latest events of a history that are read.
        dropout: throughout.
        event_dropout: share of events of which, in training, nothing but the place is read.
        block: ``classic`` or ``ligr``.
        loss: ``softmax`` (the whole catalogue), ``sampled_softmax``, ``bce`` or ``gbce``.
        n_negatives: drawn for each batch, shared by all its positions.
        popularity: exponent of an item's popularity in that draw; 0: all items alike.
        log_q: correct sampled scores for how likely each negative was drawn.
        gbce_t: see ``nn.losses.gbce``.
        temperature: of scores between vectors of unit length, as in HSTU's training; None: plain products.
        context: of ``gap``, ``repeat``, ``event_type``, ``channel``: what is read beside the items.
        own_items: learn a bonus for items of one's own history, by age and item; for customers who buy again, with
            ``loss=sampled_softmax``.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch.
        seed: of everything random.
        training: where and how long.
    """

    def __init__(
        self,
        dim: int = 64,
        n_blocks: int = 2,
        heads: int = 2,
        max_len: int = 50,
        dropout: float = 0.2,
        event_dropout: float = 0.0,
        block: Block = "classic",
        loss: str = "sampled_softmax",
        n_negatives: int = 1024,
        popularity: float = 0.0,
        log_q: bool = False,
        gbce_t: float = 0.75,
        temperature: float | None = None,
        context: Sequence[str] = (),
        own_items: bool = False,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        batch_events: int = 1024,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.dim = dim
        self.n_blocks = n_blocks
        self.heads = heads
        self.max_len = max_len
        self.dropout = dropout
        self.event_dropout = event_dropout
        self.block: Block = block
        self.loss = loss
        self.n_negatives = n_negatives
        self.popularity = popularity
        self.log_q = log_q
        self.gbce_t = gbce_t
        self.temperature = temperature
        self.context = list(context)
        self.own_items = own_items
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_events = batch_events
        self.seed = seed
        self.training = training

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            ValueError: where settings do not fit each other.
            TrainingError: where training cannot go on.
        """
        n_items = len(train.items)
        self._task = trained(self, lambda: self._made(n_items), train.histories)
        self.weights_ = weights_of(self._task)
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=n_items).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list."""
        if not hasattr(self, "_task"):  # read from a file
            self._task = with_weights(self._made(len(self.popularity_)), self.weights_)
        scores = self._task.score(users)
        scores[users.lengths == 0] = self.popularity_
        return scores

    def _made(self, n_items: int) -> SequenceNetwork:
        """The network, untrained."""
        losses = {"softmax": None, "sampled_softmax": sampled_softmax, "bce": bce, "gbce": gbce(n_items, self.gbce_t)}
        if self.loss not in losses:
            raise ValueError(f"loss={self.loss!r} is not one of {', '.join(losses)}")
        if self.log_q and self.loss != "sampled_softmax":
            raise ValueError("log_q=true corrects loss=sampled_softmax; the other losses have no use for it")
        if self.own_items and self.loss != "sampled_softmax":
            raise ValueError("own_items=true needs loss=sampled_softmax: own items become negatives beside those drawn")
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
