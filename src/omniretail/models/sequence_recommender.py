"""What recommenders over sequences do alike: fit a network to histories, score, and read features of items."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch

from omniretail.models.top_k import rank_last
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.nn.encoders import WithFeatures
from omniretail.nn.item_vectors import FeaturedItems
from omniretail.views.histories import Histories
from omniretail.views.item_features import ItemFeatures
from omniretail.views.train import Train


class SequenceRecommender:
    """A recommender that is a network over histories: what all of them do alike. The others are dataclasses of it."""

    _network: Any
    item_features: Sequence[str] = ()
    item_vectors: str | None = None
    id_dropout: float = 0.0
    training: Training
    learning_rate: float
    weight_decay: float
    seed: int

    def network(self, n_items: int) -> Any:
        """The untrained network of a catalogue."""
        raise NotImplementedError

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            DataError: where the item table lacks a feature, or vectors are not as they should be.
            TrainingError: where training cannot go on.
        """
        n_items = len(train.items)
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=n_items).astype(np.float32)  # (I,)
        features = []
        if self.reads_features:
            read = ItemFeatures.of(train.item_table, self.item_features, self.item_vectors)
            self.item_values_, self.item_numbers_ = read.categories, read.dense  # (I, V), (I, F)
            features = [read.categories.indices, read.dense]
        self._network = trained(
            self, lambda: self.network(n_items), train.histories, *features, validation=train.validation
        )
        self.weights_ = weights_of(self._network)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list."""
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(self.network(len(self.popularity_)), self.weights_)
        scores = self._network.score(users)
        if not self.reads_features:
            rank_last(scores, self.popularity_ == 0)
        scores[users.lengths == 0] = self.popularity_
        return scores

    @property
    def reads_features(self) -> bool:
        """Whether items are known by more than their ids."""
        return bool(self.item_features or self.item_vectors)

    def with_features(self) -> WithFeatures | None:
        """Makes vectors of items from their own and their features; None: they are known by their ids alone."""
        if not self.reads_features:
            return None
        values: Any = self.item_values_
        index, starts = (torch.from_numpy(each.astype(np.int64)) for each in (values.indices, values.indptr[:-1]))
        numbers, unsold = torch.from_numpy(self.item_numbers_), torch.from_numpy(self.popularity_ == 0)
        return lambda own: FeaturedItems(own, index, starts, values.shape[1], numbers, unsold, self.id_dropout)
