"""Whether items of a user's history may be shown again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from omniretail.views.histories import Histories, has_repeats
from omniretail.views.train import Train

log = logging.getLogger(__name__)


def hide_seen(scores: np.ndarray, users: Histories) -> np.ndarray:
    """Never show an item that is in the user's history.

    Args:
        scores: changed in place; shape (B, I).
        users: the B users.
    """
    scores[users.rows, users.item_idx] = -np.inf
    return scores


def allow_seen(scores: np.ndarray, users: Histories) -> np.ndarray:
    """Show repeats like any other item: where customers buy again, most held-out items are repeats."""
    return scores


@dataclass(frozen=True)
class SeenByRepeats:
    """Hides seen items where nobody has taken an item twice, as in logs of ratings; else allows them."""

    def fit(self, train: Train) -> Callable[[np.ndarray, Histories], np.ndarray]:
        """``hide_seen`` or ``allow_seen``; which one is logged."""
        if has_repeats(train.histories):
            return allow_seen
        log.info("nobody has an item twice: items of a user's history are hidden (policy=allow_seen shows them)")
        return hide_seen
