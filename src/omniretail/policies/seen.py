"""Whether what a user already has may be shown again."""

import numpy as np

from omniretail.views.histories import Histories


class HideSeen:
    """Never show an item that is in the user's history."""

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        scores[users.rows, users.item_idx] = -np.inf
        return scores


class AllowSeen:
    """Show repeats like anything else: where customers buy again, they are most of the truth."""

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        return scores
