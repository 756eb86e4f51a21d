"""Pairs of a user and an item, and sums over the events behind them."""

from dataclasses import dataclass

import numpy as np

from omniretail.views.histories import Histories


@dataclass(frozen=True)
class Pairs:
    """Candidates of B users, user by user, items ascending.

    Attributes:
        row: of the user; int64, shape (P,).
        item: index of the item; int64, shape (P,).
        n_items: size of the catalogue, I.
    """

    row: np.ndarray
    item: np.ndarray
    n_items: int

    @classmethod
    def of(cls, lists: list[np.ndarray], n_items: int) -> "Pairs":
        """Each user's items of several lists, each once; every list of shape (B, N), -1 where it ends."""
        keys = [(np.arange(len(each))[:, None] * n_items + each)[each >= 0] for each in lists]
        return cls(*np.divmod(np.unique(np.concatenate(keys)), n_items), n_items)

    def without(self, users: Histories) -> "Pairs":
        """The candidates that are not in the history of their user, one of B."""
        new = ~np.isin(self.keys, users.rows * self.n_items + users.item_idx)
        return Pairs(self.row[new], self.item[new], self.n_items)

    @property
    def keys(self) -> np.ndarray:
        """One number for each pair, ascending; int64, shape (P,)."""
        return self.row * self.n_items + self.item

    def sizes(self, n_users: int) -> np.ndarray:
        """Candidates of each user; shape (B,)."""
        return np.bincount(self.row, minlength=n_users)


class Groups:
    """Rows that share a key: what they sum up to, and where the group of a key is.

    Args:
        keys: int64, shape (N,).

    >>> groups = Groups(np.array([7, 3, 7]))
    >>> groups.keys, groups.sum(np.array([1.0, 2.0, 4.0]))
    (array([3, 7]), array([2., 5.]))
    >>> groups.lookup(np.array([7, 5]), np.array([2.0, 5.0]), np.nan)
    array([ 5., nan])
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.order = np.argsort(keys, kind="stable")
        ordered = keys[self.order]
        new = np.ones(len(keys), dtype=bool)
        new[1:] = ordered[1:] != ordered[:-1]
        self.starts = np.flatnonzero(new)
        self.keys = ordered[self.starts]

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each group; shape (G,)."""
        return np.diff(np.append(self.starts, len(self.order)))

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum of each group; shape (G,)."""
        if not len(self.starts):
            return np.zeros(0)
        return np.add.reduceat(values[self.order].astype(np.float64), self.starts)

    def first(self, values: np.ndarray) -> np.ndarray:
        """Value of each group's first row; shape (G,)."""
        return values[self.order[self.starts]]

    def last(self, values: np.ndarray, back: int = 0) -> np.ndarray:
        """Value of each group's last row, or of ``back`` rows before, the first at most; shape (G,)."""
        return values[self.order[self.starts + np.maximum(self.sizes - 1 - back, 0)]]

    def lookup(self, keys: np.ndarray, values: np.ndarray, absent: float) -> np.ndarray:
        """Values, one per group, of the groups with these keys; shape of ``keys``."""
        if not len(self.keys):
            return np.full(len(keys), absent)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, values[place], absent)


def days_ago(users: Histories, at: np.ndarray) -> np.ndarray:
    """Days from each event to the time at which its user is served; shape (E,).

    Args:
        users: histories of B users.
        at: seconds since 1970; shape (B,).
    """
    return np.maximum(np.repeat(at, users.lengths) - users.timestamp, 0) / 86_400
