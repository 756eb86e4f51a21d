"""Ranked lists with their hits: the input of every list metric."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class RankedLists:
    """The lists of U users, N places each, with hits.

    Attributes:
        ranked: item indices, best first, -1 in unused places; shape (U, N).
        hits: True where the item in that place was held out; shape (U, N).
        n_held_out: held-out items per user, those outside the catalogue included; shape (U,).
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

    @classmethod
    def of(
        cls,
        ranked: Sequence[Sequence[int]],
        held_out: Sequence[Collection[int]],
        item_users: Sequence[int],
        category: Sequence[int] | None = None,
    ) -> "RankedLists":
        """Lists written by hand, for examples and tests; every user is a training user as well.

        Args:
            ranked: U lists of N items.
            held_out: items of each user, which may lie outside the catalogue.
            item_users: training users per item.
            category: of each item.

        >>> RankedLists.of([[4, 2], [1, -1]], held_out=[{2, 9}, {1}], item_users=[1] * 6).hits
        array([[False,  True],
               [ True, False]])
        """
        return cls(
            ranked=np.array(ranked),
            hits=np.array([[item in own for item in row] for row, own in zip(ranked, held_out, strict=True)]),
            n_held_out=np.array([len(own) for own in held_out]),
            item_users=np.array(item_users),
            n_users=len(ranked),
            category=None if category is None else np.array(category),
        )

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.item_users)

    def top(self, k: int) -> "RankedLists":
        """The first ``k`` places of every list.

        Raises:
            ValueError: where the lists have fewer places, which would lower every metric silently.
        """
        if not 1 <= k <= self.ranked.shape[1]:
            raise ValueError(f"k={k} does not fit lists of {self.ranked.shape[1]} places; rank at least max(ks) items")
        return replace(self, ranked=self.ranked[:, :k], hits=self.hits[:, :k])

    def restricted_to(self, counted: np.ndarray, n_held_out: np.ndarray) -> "RankedLists":
        """The same lists with hits among a part of the held-out items only (e.g. items that are new to the user).

        Args:
            counted: True where the item in that place may count as a hit; shape (U, N).
            n_held_out: held-out items of that part; shape (U,).
        """
        return replace(self, hits=self.hits & counted, n_held_out=n_held_out)


def hits_of(ranked: np.ndarray, relevant: sparse.csr_array) -> np.ndarray:
    """Which places of the lists hold a relevant item.

    Args:
        ranked: item indices, -1 in unused places; shape (U, N).
        relevant: nonzero where relevant; shape (U, I).

    Returns:
        bool; shape (U, N).
    """
    rows = np.arange(len(ranked))[:, None]
    entries = relevant[rows, np.maximum(ranked, 0)].toarray()
    return entries.astype(bool) & (ranked >= 0)
