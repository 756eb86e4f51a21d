"""Only one channel's items are shown."""

from typing import Self

import numpy as np

from omniretail.schema import DataError
from omniretail.views.histories import Histories
from omniretail.views.train import Train


class OnlyChannel:
    """Show what was taken in a channel, whatever else the catalogue holds.

    Args:
        channel: whose items may be shown.
        hide_seen: nothing that is in the user's history either.
    """

    def __init__(self, channel: str, hide_seen: bool = True) -> None:
        self.channel = channel
        self.hide_seen = hide_seen

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            DataError: where the log has no such channel.
        """
        self.elsewhere_ = ~items_of(train, self.channel)  # (I,)
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        scores[:, self.elsewhere_] = -np.inf
        if self.hide_seen:
            scores[users.rows, users.item_idx] = -np.inf
        return scores


def items_of(train: Train, channel: str) -> np.ndarray:
    """True for items that somebody took in a channel; shape (I,).

    Raises:
        DataError: where the log has no such channel.
    """
    number = int(train.channels.encode([channel])[0])
    if number < 0:
        known = ", ".join(map(str, train.channels.ids))
        raise DataError(f"the log has no channel {channel!r}; choose target_channel among {known}")
    found = np.zeros(train.histories.n_items, dtype=bool)
    found[train.histories.item_idx[train.histories.channel == number]] = True
    return found
