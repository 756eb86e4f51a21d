"""Whether what a user already has may be shown again."""

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
    """Show repeats like anything else: where customers buy again, they are most of the truth."""
    return scores
