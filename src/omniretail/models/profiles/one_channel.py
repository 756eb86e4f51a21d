"""OneChannel: what a customer's history in one channel says, for use in another."""

import copy
from dataclasses import replace
from typing import Self

import numpy as np

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.views.histories import Histories
from omniretail.views.item_channels import item_channels
from omniretail.views.train import Train


class OneChannel:
    """An encoder that sees the events of one channel only.

    Inside ``ProfileKNN`` it makes the profile of one channel the customer's features in the other.

    Args:
        encoder: gives the vectors.
        channel: whose items count; None: all, as without it.
    """

    def __init__(self, encoder: ProfileEncoder, channel: str | None = None) -> None:
        self.encoder = encoder
        self.channel = channel

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            ValueError: where the log has no such channel.
        """
        self.counted_ = np.ones(train.histories.n_items, dtype=bool)  # (I,)
        if self.channel is not None:
            number = int(train.channels.encode([self.channel])[0])
            if number < 0:
                known = ", ".join(map(str, train.channels.ids))
                raise ValueError(f"the log has no channel {self.channel!r}; it has {known}")
            self.counted_ = item_channels(train) == number
        seen = replace(train, histories=self._seen(train.histories))
        self.parts_ = {"encoder": copy.deepcopy(self.encoder).fit(seen)}
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``."""
        return self.parts_["encoder"].embed(self._seen(users), at)

    def _seen(self, users: Histories) -> Histories:
        return users.keep(self.counted_[users.item_idx])
