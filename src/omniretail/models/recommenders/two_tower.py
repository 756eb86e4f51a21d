"""TwoTower: users and items from histories and attributes, so that new ones have vectors too."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
import torch

from omniretail.core.checks import above, at_least, between, require
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.recommenders.profile_inputs import ProfileInputs
from omniretail.models.recommenders.two_tower_network import TwoTowerNetwork, attributes_of
from omniretail.models.top_k import rank_last
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.views.attribute_values import AttributeValues
from omniretail.views.histories import Histories
from omniretail.views.train import Train


@dataclass(eq=False)
class TwoTower:
    """Two towers with in-batch negatives and logQ correction (Yi et al., RecSys 2019).

    An item's vector comes from its id and its attributes; a user's from the items of their history, weighted by age,
    and from their attributes. New items, and new users of whom only attributes are known, have vectors too:
    ``item_vectors`` and ``user_vectors``. With an encoder, the user tower also reads the profile of the customer's
    history; ``ProfileInputs`` describes why no example reads the basket that it is to predict.

    Args:
        dim: D.
        max_len: latest events of a history that are read.
        temperature: of the cosine scores.
        id_dropout: share of items that are read without their id in training.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch; each target is a negative for the others.
        encoder: of profiles; None: no profile is read.
        profile_share: of the time before the cutoff, the first part, from which the encoder learns; in (0, 1).
        profile_snapshots: times in the rest of it at which profiles are computed for training.
        seed: of everything random.
        training: where and how long.
    """

    dim: int = 64
    max_len: int = 50
    temperature: float = 0.07
    id_dropout: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_events: int = 2048
    encoder: ProfileEncoder | None = None
    profile_share: float = 0.5
    profile_snapshots: int = 6
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "max_len", "batch_events", "profile_snapshots", low=1)
        at_least(self, "weight_decay")
        above(self, "temperature", "learning_rate")
        between(self, "id_dropout")
        require(self, "profile_share", 0 < self.profile_share < 1, "lie between 0 and 1, both excluded")

    @property
    def label(self) -> str:
        """The name, with its encoder's where there is one."""
        return "TwoTower" if self.encoder is None else f"TwoTower ({type(self.encoder).__name__})"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            TrainingError: where training cannot go on.
        """
        users = train.users.ids.to_frame(index=False) if train.user_table is None else train.user_table
        item_values, user_values = AttributeValues.of(train.item_table), AttributeValues.of(users)
        self.item_values_, self.user_values_ = item_values.labels, user_values.labels  # (F,), (G,)
        self.item_attributes_ = item_values.encode(train.item_table)  # (I, F)
        self.user_attributes_ = user_values.encode(users)  # (U, G)
        if self.encoder is not None:
            profiles = ProfileInputs.of(self.encoder, train, self.profile_share, self.profile_snapshots)
            self.models_, self.profiles_ = {"encoder": profiles.encoder}, profiles.arrays()
        attributes = (self.item_attributes_, self.user_attributes_)
        inputs = [part for matrix in attributes for part in (matrix.indices, matrix.indptr)]
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=len(train.items)).astype(np.float32)  # (I,)
        self._network = trained(
            self, self.network, train.histories, *inputs, *self._profile_arrays().values(), validation=train.validation
        )
        self.weights_ = weights_of(self._network)
        self.item_factors_ = self.item_vectors(train.item_table, in_catalogue=True)  # (I, D)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user with neither history nor attributes gets the popular list."""
        scores = self.user_vectors(users) @ self.item_factors_.T
        rank_last(scores, (self.popularity_ == 0) & (np.diff(self.item_attributes_.indptr) == 0))
        scores[(users.lengths == 0) & (users.user_idx < 0)] = self.popularity_
        return scores

    def item_vectors(self, table: pd.DataFrame, in_catalogue: bool = False) -> np.ndarray:
        """Vectors of items from their attributes.

        Args:
            table: columns as in the training item table, the id first; N rows.
            in_catalogue: True where these are the training items in their order, whose ids are read too.

        Returns:
            Unit length, to be multiplied with ``user_vectors``; shape (N, D).
        """
        attributes = AttributeValues(self.item_values_).encode(table)
        with torch.inference_mode():
            item_idx = np.arange(len(table)) if in_catalogue else None
            return self._trained_network().items(item_idx, attributes).numpy().copy()

    def user_vectors(self, users: Histories, table: pd.DataFrame | None = None) -> np.ndarray:
        """Vectors of users.

        Args:
            users: histories of B users, empty ones too.
            table: their attributes, columns as in the training user table, the id first; None: the attributes of those
                who were in training.

        Returns:
            Shape (B, D).
        """
        if table is None:
            return self._trained_network().users(users, attributes_of(users, self.user_attributes_))
        return self._trained_network().users(users, AttributeValues(self.user_values_).encode(table))

    def network(self) -> TwoTowerNetwork:
        """The untrained network, once the inputs are known."""
        arrays = self._profile_arrays()
        return TwoTowerNetwork(
            self.item_attributes_,
            self.user_attributes_,
            dim=self.dim,
            max_len=self.max_len,
            temperature=self.temperature,
            id_dropout=self.id_dropout,
            batch_events=self.batch_events,
            has_id=self.popularity_ > 0,
            profiles=ProfileInputs(self.models_["encoder"], **arrays) if arrays else None,
        )

    def _trained_network(self) -> TwoTowerNetwork:
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(self.network(), self.weights_)
        return self._network

    def _profile_arrays(self) -> dict[str, np.ndarray]:
        return {} if self.encoder is None else self.profiles_
