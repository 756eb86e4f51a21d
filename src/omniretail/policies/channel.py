"""Only one channel's items are shown."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from omniretail.views.histories import Histories
from omniretail.views.item_channels import channel_code
from omniretail.views.train import Train


@dataclass(eq=False)
class OnlyChannel:
    """Shows only items that were bought in one channel.

    Args:
        channel: whose items may be shown.
        hide_seen: hide the items of the user's history too.
    """

    channel: str
    hide_seen: bool = True

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            DataError: where the log has no such channel.
        """
        self.hidden_ = ~items_of(train, self.channel)  # (I,)
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        scores[:, self.hidden_] = -np.inf
        if self.hide_seen:
            scores[users.rows, users.item_idx] = -np.inf
        return scores


def items_of(train: Train, channel: str) -> np.ndarray:
    """True for items that somebody bought in a channel; shape (I,).

    Raises:
        DataError: where the log has no such channel.
    """
    number = channel_code(train, channel)
    inside = np.zeros(train.histories.n_items, dtype=bool)
    inside[train.histories.item_idx[train.histories.channel == number]] = True
    return inside
