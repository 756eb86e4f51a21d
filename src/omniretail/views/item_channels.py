"""The channel that sells an item."""

import numpy as np

from omniretail.views.train import Train


def item_channels(train: Train) -> np.ndarray:
    """Index of the channel with most events of the item, the lower one where tied; int32, shape (I,).

    An item without events belongs to channel 0.
    """
    histories, n_channels = train.histories, max(len(train.channels), 1)
    known = histories.channel >= 0
    pairs = histories.item_idx[known].astype(np.int64) * n_channels + histories.channel[known]
    counts = np.bincount(pairs, minlength=histories.n_items * n_channels).reshape(-1, n_channels)
    return counts.argmax(axis=1).astype(np.int32)
