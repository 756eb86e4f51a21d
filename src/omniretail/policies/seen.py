"""Whether items of a user's history may be shown again."""

import numpy as np

from omniretail.views.histories import Histories


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
