"""OneChannel: an encoder that reads one channel, for use in another."""

import copy
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.svd import CountSVD
from omniretail.views.histories import Histories
from omniretail.views.item_channels import channel_code, item_channels
from omniretail.views.train import Train


@dataclass(eq=False)
class OneChannel:
    """An encoder that reads only the events of items of one channel.

    Inside ``ProfileKNN`` it makes the profile of one channel the customer's features in the other.

    Args:
        encoder: computes the vectors.
        channel: whose items count; None: all.
    """

    encoder: ProfileEncoder = field(default_factory=CountSVD)
    channel: str | None = None

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            DataError: where the log has no such channel.
        """
        self.of_channel_ = np.ones(train.histories.n_items, dtype=bool)  # (I,)
        if self.channel is not None:
            self.of_channel_ = item_channels(train) == channel_code(train, self.channel, "source_channel")
        one = replace(train, histories=self._of_channel(train.histories))
        self.parts_ = {"encoder": copy.deepcopy(self.encoder).fit(one)}
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``."""
        return self.parts_["encoder"].embed(self._of_channel(users), at)

    def _of_channel(self, users: Histories) -> Histories:
        return users.keep(self.of_channel_[users.item_idx])
