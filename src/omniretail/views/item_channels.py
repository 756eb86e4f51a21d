"""The channel that sells an item."""

import numpy as np

from omniretail.core.errors import DataError
from omniretail.views.train import Train


def channel_code(train: Train, channel: str, setting: str = "target_channel") -> int:
    """The number of a channel in ``histories.channel``.

    Args:
        train: with the vocabulary of channels.
        channel: its name.
        setting: that names it, for the error.

    Raises:
        DataError: where the log has no such channel; the message names those that it has.
    """
    code = int(train.channels.encode([channel])[0])
    if code < 0:
        names = ", ".join(map(str, train.channels.ids))
        raise DataError(f"the log has no channel {channel!r}; choose {setting} among {names}")
    return code


def item_channels(train: Train) -> np.ndarray:
    """Index of the channel with most events of the item, the lower one where tied; int32, shape (I,).

    An item without events belongs to channel 0.
    """
    histories, n_channels = train.histories, max(len(train.channels), 1)
    known = histories.channel >= 0
    pairs = histories.item_idx[known].astype(np.int64) * n_channels + histories.channel[known]
    counts = np.bincount(pairs, minlength=histories.n_items * n_channels).reshape(-1, n_channels)
    return counts.argmax(axis=1).astype(np.int32)
