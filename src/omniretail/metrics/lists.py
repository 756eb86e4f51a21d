"""Ranked lists beside the truth: what every metric reads."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class RankedLists:
    """The lists of U users, N places each, judged.

    Attributes:
        ranked: item indices, best first, -1 in unused places; shape (U, N).
        hits: True where the item in that place was held out; shape (U, N).
        n_held_out: held-out items per user, those the catalogue does not know included; shape (U,).
        item_users: training users per item; shape (I,).
        n_users: training users.
        category: the items' categories as integers, -1 unknown; shape (I,); None where there are none.
    """

    ranked: np.ndarray
    hits: np.ndarray
    n_held_out: np.ndarray
    item_users: np.ndarray
    n_users: int
    category: np.ndarray | None = None

    def restricted_to(self, allowed: sparse.csr_array, n_held_out: np.ndarray) -> "RankedLists":
        """The same lists judged on a part of the truth (e.g. items that are new to the user).

        Args:
            allowed: the part of the held-out items that counts; shape (U, I).
            n_held_out: its size per user; shape (U,).
        """
        return replace(self, hits=found(self.ranked, allowed), n_held_out=n_held_out)


def found(ranked: np.ndarray, relevant: sparse.csr_array) -> np.ndarray:
    """Which places of the lists hold a relevant item.

    Args:
        ranked: item indices, -1 in unused places; shape (U, N).
        relevant: True where relevant; shape (U, I).

    Returns:
        bool; shape (U, N).
    """
    n_items = relevant.shape[1]
    rows = np.repeat(np.arange(relevant.shape[0]), np.diff(relevant.indptr))
    keys = np.sort(rows * n_items + relevant.indices)
    asked = np.arange(len(ranked))[:, None] * n_items + ranked
    return np.isin(asked, keys) & (ranked >= 0)
