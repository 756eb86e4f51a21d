"""The protocol of recommenders. There is nothing to inherit: a class with these methods is a recommender."""

from typing import Protocol, Self

import numpy as np

from omniretail.core.errors import DataError
from omniretail.views.histories import Histories
from omniretail.views.train import Train


class Recommender(Protocol):
    """Scores the whole catalogue for a batch of users.

    A recommender is a dataclass whose fields are its hyper-parameters; values out of range are refused when it is made.
    ``fit`` puts what it learns into attributes that end in an underscore (NumPy or SciPy CSR arrays, or a mapping of
    names to arrays), so that every model can be saved the same way. A class whose name differs from the one that people
    write has the latter in ``label``.
    """

    def fit(self, train: Train) -> Self:
        """Learn from the events before the cutoff; the same seed gives the same scores."""
        ...

    def score(self, users: Histories) -> np.ndarray:
        """Higher is better; finite everywhere; seen items are scored like any other.

        A row's scores depend on that row alone. A new user's history (``user_idx`` -1) is scored like a training
        user's, except by models that learn a vector per user. Several threads may score at once.

        Args:
            users: histories of B users; only indices of the training catalogue occur in them.

        Returns:
            float32, writable, not shared with the model; shape (B, I).

        Raises:
            UnknownUserError: from a model that learns a vector per user, for a user who was not in training.
        """
        ...


class UnknownUserError(DataError):
    """The model can score training users only."""

    def __init__(self, model: str, unknown: int, total: int) -> None:
        super().__init__(
            f"{model} learns a vector per user and cannot score {unknown} of {total} users who were not in training; "
            "refit it with them, or use a model that scores from a history (EASE, ItemKNN, iALS, …)"
        )
