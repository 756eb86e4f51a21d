"""TwoTower: users and items from what is known of them, so that new ones have vectors too."""

from typing import Self

import numpy as np
import pandas as pd
import torch

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.recommenders.profile_inputs import ProfileInputs
from omniretail.models.recommenders.two_tower_network import TwoTowerNetwork, words_of
from omniretail.models.training import Training
from omniretail.models.training.networks import trained, weights_of, with_weights
from omniretail.views.attribute_words import AttributeValues
from omniretail.views.histories import Histories
from omniretail.views.train import Train


class TwoTower:
    """Two towers with in-batch negatives and logQ correction (Yi et al., RecSys 2019).

    An item's vector comes from its number and its attributes, a user's from the items they took, the later the more,
    and from their own attributes. An item that nobody has taken yet and a user of whom only attributes are known get
    vectors as well: ``item_vectors`` and ``user_vectors``. With an encoder, the user's tower also reads the profile of
    the customer's history; ``ProfileInputs`` says how that tells no example what it is to predict.

    Args:
        dim: D.
        max_len: latest events of a history that are read.
        temperature: of the cosine scores.
        id_dropout: share of items in training that are known by their attributes only.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_events: events in a batch, each the others' negative.
        encoder: of profiles; None: none is read.
        profile_share: of the time before the cutoff, the first part, that the encoder learns from.
        profile_moments: at which profiles are made anew in the rest of that time.
        seed: of everything random.
        training: where and how long.
    """

    def __init__(
        self,
        dim: int = 64,
        max_len: int = 50,
        temperature: float = 0.07,
        id_dropout: float = 0.2,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        batch_events: int = 2048,
        encoder: ProfileEncoder | None = None,
        profile_share: float = 0.5,
        profile_moments: int = 6,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.dim = dim
        self.max_len = max_len
        self.temperature = temperature
        self.id_dropout = id_dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_events = batch_events
        self.encoder = encoder
        self.profile_share = profile_share
        self.profile_moments = profile_moments
        self.seed = seed
        self.training = training

    @property
    def label(self) -> str:
        """Tells the encoder too."""
        return "TwoTower" if self.encoder is None else f"TwoTower ({type(self.encoder).__name__})"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            ValueError: where settings of the profile are out of range.
            TrainingError: where training cannot go on.
        """
        users = train.users.ids.to_frame(index=False) if train.user_table is None else train.user_table
        item_words, user_words = AttributeValues.of(train.item_table), AttributeValues.of(users)
        self.item_words_, self.user_words_ = item_words.words, user_words.words  # (F,), (G,)
        self.said_of_items_ = item_words.encode(train.item_table)  # (I, F)
        self.said_of_users_ = user_words.encode(users)  # (U, G)
        said = (part for said in (self.said_of_items_, self.said_of_users_) for part in (said.indices, said.indptr))
        if self.encoder is not None:
            profiles = ProfileInputs.of(self.encoder, train, self.profile_share, self.profile_moments)
            self.models_, self.profiles_ = {"encoder": profiles.encoder}, profiles.arrays()
        self._task = trained(self, self._made, train.histories, *said, *self._profile_arrays().values())
        self.weights_ = weights_of(self._task)
        self.item_factors_ = self.item_vectors(train.item_table, known=True)  # (I, D)
        self.popularity_ = np.bincount(train.histories.item_idx, minlength=len(train.items)).astype(np.float32)  # (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user of whom nothing is known gets the popular list."""
        scores = self.user_vectors(users) @ self.item_factors_.T
        nothing = (users.lengths == 0) & (users.user_idx < 0)
        scores[nothing] = self.popularity_
        return scores

    def item_vectors(self, table: pd.DataFrame, known: bool = False) -> np.ndarray:
        """Vectors of items from their attributes.

        Args:
            table: columns as in the training item table, the id first; N rows.
            known: whether these are the training items in their order, whose numbers then count too.

        Returns:
            Unit length, to be multiplied with ``user_vectors``; shape (N, D).
        """
        said = AttributeValues(self.item_words_).encode(table)
        with torch.inference_mode():
            return self._ready().items(np.arange(len(table)) if known else None, said).numpy().copy()

    def user_vectors(self, users: Histories, table: pd.DataFrame | None = None) -> np.ndarray:
        """Vectors of users.

        Args:
            users: histories of B users, empty ones too.
            table: their attributes, columns as in the training user table, the id first; None: what is known of those
                who were in training.

        Returns:
            Shape (B, D).
        """
        said = (
            words_of(users, self.said_of_users_) if table is None else AttributeValues(self.user_words_).encode(table)
        )
        return self._ready().users(users, said)

    def _ready(self) -> TwoTowerNetwork:
        if not hasattr(self, "_task"):  # read from a file
            self._task = with_weights(self._made(), self.weights_)
        return self._task

    def _profile_arrays(self) -> dict[str, np.ndarray]:
        return {} if self.encoder is None else self.profiles_

    def _made(self) -> TwoTowerNetwork:
        """The towers, untrained."""
        arrays = self._profile_arrays()
        return TwoTowerNetwork(
            self.said_of_items_,
            self.said_of_users_,
            dim=self.dim,
            max_len=self.max_len,
            temperature=self.temperature,
            id_dropout=self.id_dropout,
            batch_events=self.batch_events,
            profiles=ProfileInputs(self.models_["encoder"], **arrays) if arrays else None,
        )
