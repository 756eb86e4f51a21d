"""What every profile encoder has. There is nothing to inherit: a class with these methods is an encoder."""

from typing import Protocol, Self

import numpy as np

from omniretail.views.histories import Histories
from omniretail.views.train import Train


class ProfileEncoder(Protocol):
    """Computes a vector of each customer from the customer's events.

    Encoders are dataclasses of their hyper-parameters; what is learned is in attributes that end in an underscore.
    """

    def fit(self, train: Train) -> Self:
        """Learn from the events before the cutoff; the same seed gives the same vectors."""
        ...

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """Finite vectors of one length; an empty history has one too.

        A row's vector depends on that row alone. Histories may go on after the training cutoff, so that customers can
        be embedded again a month later without refitting; items that are not in the training catalogue are left out.

        Args:
            users: histories of B customers; only indices of the training catalogue occur in them.
            at: the time as of which the customers are described, after all their events; seconds since 1970, one for
                all or of shape (B,).

        Returns:
            float32; shape (B, D).
        """
        ...
