"""Baskets in histories: repeats within one, and how many baskets ago an event is."""

import numpy as np

from omniretail.views.histories import Histories


def once_per_basket(histories: Histories) -> Histories:
    """The same histories with each item at most once per basket (its first event there).

    >>> once_per_basket(Histories.of([[[3, 3, 1], [3]]], n_items=5)).item_idx
    array([3, 1, 3], dtype=int32)
    """
    order = np.lexsort((histories.item_idx, histories.basket, histories.rows))  # stable: the first event stays first
    keys = np.stack([histories.rows, histories.basket, histories.item_idx])[:, order]  # (3, E)
    first = np.ones(len(order), dtype=bool)
    first[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    mask = np.zeros(len(order), dtype=bool)
    mask[order[first]] = True
    return histories.keep(mask)


def baskets_ago(histories: Histories) -> np.ndarray:
    """How many baskets of its user came after each event's; 0 in the latest. Shape (E,)."""
    return np.repeat(histories.n_baskets, histories.lengths) - 1 - histories.basket
