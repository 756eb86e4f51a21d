"""GRU4Rec: recurrent units over what a user took, in order."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.encoders import GRUEncoder
from omniretail.nn.losses import bpr, bpr_max, sampled_softmax, top1, top1_max
from omniretail.views.histories import Histories
from omniretail.views.sequences import CIRCUMSTANCES
from omniretail.views.train import Train


class GRU4Rec:
    """Recurrent recommendation (Hidasi et al., ICLR 2016; losses of Hidasi & Karatzoglou, CIKM 2018).

    Negatives are drawn for each batch by popularity to the power of ``popularity``, as in the authors' later versions;
    the batch's own targets are not used besides. Users' whole histories are the sessions.

    Args:
        dim: D, width of item vectors, which serve as input and output.
        hidden: width of the recurrent layer.
        n_layers: recurrent layers.
        max_len: latest events of a history that are read.
        dropout: on events and states.
        loss: ``cross_entropy``, ``bpr_max``, ``top1``, ``top1_max`` or ``bpr``.
        bpr_max_regularization: see ``nn.losses.bpr_max``.
        n_negatives: drawn for each batch.
        popularity: exponent of an item's popularity in that draw.
        context: of ``gap``, ``repeat``, ``event_type``, ``channel``: what is read beside the items.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch.
        seed: of everything random.
        training: where and how long.
    """

    def __init__(
        self,
        dim: int = 64,
        hidden: int = 128,
        n_layers: int = 1,
        max_len: int = 50,
        dropout: float = 0.3,
        loss: str = "cross_entropy",
        bpr_max_regularization: float = 1.0,
        n_negatives: int = 2048,
        popularity: float = 0.75,
        context: Sequence[str] = (),
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        batch_events: int = 1024,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.dim = dim
        self.hidden = hidden
        self.n_layers = n_layers
        self.max_len = max_len
        self.dropout = dropout
        self.loss = loss
        self.bpr_max_regularization = bpr_max_regularization
        self.n_negatives = n_negatives
        self.popularity = popularity
        self.context = list(context)
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
        losses = {
            "cross_entropy": sampled_softmax,
            "bpr_max": bpr_max(self.bpr_max_regularization),
            "top1": top1,
            "top1_max": top1_max,
            "bpr": bpr,
        }
        if self.loss not in losses:
            raise ValueError(f"loss={self.loss!r} is not one of {', '.join(losses)}")
        sizes = [CIRCUMSTANCES.get(name, 0) for name in self.context]
        encoder = GRUEncoder(n_items, self.dim, self.hidden, self.n_layers, self.dropout, sizes)
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
