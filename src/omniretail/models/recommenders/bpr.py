"""BPR: a vector per user and item, learned from pairs of an item that a user has and one that they have not."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from scipy.special import expit
from tqdm import trange

from omniretail.core.checks import above, at_least
from omniretail.core.errors import SettingsError
from omniretail.models.protocols import UnknownUserError
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

_DRAWS = 3
"""How often a negative is drawn anew that the user has; those that they still have are left out."""


@dataclass(eq=False)
class BPR:
    """Matrix factorisation under Bayesian personalised ranking (Rendle et al., UAI 2009).

    For each pair of a user and an item that they have, an item that they have not is drawn, all alike, and
    ``ln sigmoid(score of the one - score of the other)`` is raised, less ``regularization`` times the squared vectors.
    The gradients of a batch are summed, and each step is AdaGrad's (Duchi et al., JMLR 2011), so that vectors of rare
    users and items move as far as those of frequent ones. It cannot score a history that it was not trained on.

    The library ``implicit`` draws negatives by popularity, and so learns against popular items.

    Args:
        factors: length of a vector.
        learning_rate: of AdaGrad's steps.
        regularization: of the factors and the items' biases.
        iterations: epochs.
        batch_size: pairs per step.
        seed: of the start and the samples.
    """

    factors: int = 64
    learning_rate: float = 0.05
    regularization: float = 0.01
    iterations: int = 100
    batch_size: int = 4096
    seed: int = 42

    def __post_init__(self) -> None:
        at_least(self, "factors", "iterations", "batch_size", low=1)
        above(self, "learning_rate")
        at_least(self, "regularization")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            SettingsError: where training diverges.
        """
        rng = np.random.default_rng(self.seed)
        pairs = binary_user_items(train.histories)  # (U, I)
        n_users, n_items = len(train.histories), train.histories.n_items
        users, items = _AdaGrad(n_users, self.factors, rng, last=1), _AdaGrad(n_items, self.factors, rng, last=0)
        user, item = np.repeat(np.arange(n_users), np.diff(pairs.indptr)), pairs.indices  # (N,)
        keys = user * n_items + item
        with np.errstate(all="ignore"):  # checked below
            for _ in trange(self.iterations, desc="BPR", unit="epoch", delay=3, leave=False, disable=None):
                order = rng.permutation(len(user))
                for start in range(0, len(order), self.batch_size):
                    batch = order[start : start + self.batch_size]
                    negative = _negatives(user[batch], keys, n_items, rng)
                    used = negative >= 0
                    self._step(users, items, user[batch][used], item[batch][used], negative[used])
        if not (np.isfinite(users.values).all() and np.isfinite(items.values).all()):
            raise SettingsError(f"BPR: training diverges at learning_rate={self.learning_rate:g}; lower it")
        unsold = np.bincount(pairs.indices, minlength=n_items) == 0  # nothing is known of these
        items.values[unsold, :-1], items.values[unsold, -1] = 0, items.values[:, -1].min() - 1
        self.user_factors_ = users.values  # (U, factors + 1): 1 in the last place
        self.item_factors_ = items.values  # (I, factors + 1): the item's bias in the last place
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the items' biases.

        Raises:
            UnknownUserError: for a history of a user who was not in training.
        """
        return self.user_vectors(users) @ self.item_factors_.T

    def user_vectors(self, users: Histories) -> np.ndarray:
        """Vectors to multiply with ``item_factors_``; shape (B, factors + 1).

        Raises:
            UnknownUserError: for a history of a user who was not in training.
        """
        unknown = users.user_idx < 0
        n_unknown = int((unknown & (users.lengths > 0)).sum())
        if n_unknown:
            raise UnknownUserError("BPR", n_unknown, len(users))
        bias_only = np.append(np.zeros(self.factors, dtype=np.float32), np.float32(1))
        return np.where(unknown[:, None], bias_only, self.user_factors_[users.user_idx])

    def _step(
        self, users: "_AdaGrad", items: "_AdaGrad", user: np.ndarray, item: np.ndarray, negative: np.ndarray
    ) -> None:
        """One step on b triples."""
        own, difference = users.values[user], items.values[item] - items.values[negative]  # (b, factors + 1)
        slope = expit(-np.einsum("bk,bk->b", own, difference))  # (b,)
        both, slopes, twice = np.concatenate([item, negative]), np.concatenate([slope, -slope]), np.tile(user, 2)
        item_rows, item_sums, n_of_items = _summed(both, slopes, twice, users.values)
        user_rows, user_sums, n_of_users = _summed(twice, slopes, both, items.values)
        item_sums -= self.regularization * n_of_items * items.values[item_rows]
        user_sums -= self.regularization * n_of_users / 2 * users.values[user_rows]
        user_sums[:, -1] = 0  # stays 1
        items.climb(item_rows, item_sums, self.learning_rate)
        users.climb(user_rows, user_sums, self.learning_rate)


class _AdaGrad:
    """Vectors that climb by AdaGrad's steps.

    Attributes:
        values: float32; shape (N, factors + 1).
        squares: of all gradients so far, summed; of the same shape.
    """

    def __init__(self, n: int, factors: int, rng: np.random.Generator, last: float) -> None:
        """Small random vectors with ``last`` in the last place."""
        self.values = np.full((n, factors + 1), last, dtype=np.float32)
        self.values[:, :-1] = (rng.random((n, factors), dtype=np.float32) - 0.5) / factors
        self.squares = np.full_like(self.values, 1e-8)

    def climb(self, rows: np.ndarray, gradients: np.ndarray, learning_rate: float) -> None:
        """A step along the gradients of some distinct rows; shapes (R,) and (R, factors + 1)."""
        squares = self.squares[rows] + gradients * gradients
        self.squares[rows] = squares
        self.values[rows] += np.float32(learning_rate) * gradients / np.sqrt(squares)


def _negatives(user: np.ndarray, keys: np.ndarray, n_items: int, rng: np.random.Generator) -> np.ndarray:
    """An item that each user has not, all alike; -1 where no draw finds one.

    Args:
        user: shape (b,).
        keys: ``user x n_items + item`` of every pair, ascending; shape (N,).
        n_items: size of the catalogue.
        rng: of the draws.
    """
    negative = np.full(len(user), -1, dtype=np.int64)
    left = np.arange(len(user))
    for _ in range(_DRAWS):
        drawn = rng.integers(0, n_items, len(left))
        key = user[left] * n_items + drawn
        new = keys[np.minimum(np.searchsorted(keys, key), len(keys) - 1)] != key
        negative[left[new]] = drawn[new]
        left = left[~new]
    return negative


def _summed(row: np.ndarray, weight: np.ndarray, column: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weighted sums of rows of ``values``, by the row that they are for.

    Args:
        row: that each of P terms is for; shape (P,).
        weight: shape (P,).
        column: row of the values in each term; shape (P,).
        values: shape (M, k).

    Returns:
        The distinct rows, (R,), their sums, (R, k), and how many terms each has, (R, 1).
    """
    order = np.argsort(row, kind="stable")
    first = np.flatnonzero(np.diff(row[order], prepend=-1))
    ends = np.append(first, len(row))
    terms = sparse.csr_array((weight[order], column[order], ends), shape=(len(first), len(values)))
    return row[order[first]], terms @ values, np.diff(ends)[:, None].astype(np.float32)
