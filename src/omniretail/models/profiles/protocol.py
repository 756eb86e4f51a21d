"""What a profile encoder promises. There is nothing to inherit: a class with these methods is an encoder."""

from typing import Protocol, Self

import numpy as np

from omniretail.views.histories import Histories
from omniretail.views.train import Train


class ProfileEncoder(Protocol):
    """Gives each customer a vector, from nothing but what they did before the cutoff.

    As with ``Recommender``, a constructor takes plain keyword arguments and keeps each under its name, and what is
    learned stays in attributes that end in an underscore.
    """

    def fit(self, train: Train) -> Self:
        """Learn from the events before the cutoff; the same seed gives the same vectors."""
        ...

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """Finite everywhere, of one length for every customer; an empty history has a vector too.

        A row's vector depends on that row alone. Histories may go on after the training's cutoff, so that an encoder
        can be asked again a month later; items it did not know then are left out of them.

        Args:
            users: histories of B customers; only indices of the training catalogue occur in them.
            at: the time as of which the customers are described, after all their events; seconds since 1970, one for
                all or of shape (B,).

        Returns:
            float32; shape (B, D).
        """
        ...
