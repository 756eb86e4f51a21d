"""Which channel sells an item."""

import numpy as np

from omniretail.views.train import Train


def item_channels(train: Train) -> np.ndarray:
    """The number of the channel in which the item was taken most, the lower one where tied; int32, shape (I,).

    An item that nobody took (any more) belongs to channel 0.
    """
    histories, n_channels = train.histories, max(len(train.channels), 1)
    pairs = histories.item_idx.astype(np.int64) * n_channels + histories.channel
    counts = np.bincount(pairs, minlength=histories.n_items * n_channels).reshape(-1, n_channels)
    return counts.argmax(axis=1).astype(np.int32)
