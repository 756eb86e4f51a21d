"""Who is sent where when places are few: offers under budgets, greedily, exactly, and by prices.

Each of N users gets at most ``k`` offers, each of M places gives at most its budget of them, and the sum of the values
of the pairs chosen is to be as large as can be.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.metrics.allocation import require_budgets

Values = np.ndarray | sparse.csr_array
"""What each pair is worth, e.g. the chance that the user goes there; pairs of 0 or less are never chosen; (N, M)."""

_ROUNDS, _SETTLED = 30, 1e-9


@dataclass(frozen=True)
class Allocation:
    """Pairs chosen.

    Attributes:
        user: shape (A,).
        place: shape (A,).
        value: their sum.
        bound: no allocation can be worth more; NaN where none was proven.
        shape: (N, M).
    """

    user: np.ndarray
    place: np.ndarray
    value: float
    bound: float
    shape: tuple[int, int]

    @property
    def gap(self) -> float:
        """Share of the bound that is at most missing; 0 where the allocation is proven best."""
        return max(0.0, 1 - self.value / self.bound) if self.bound else 0.0

    def matrix(self) -> sparse.csr_array:
        """True where a pair is chosen; shape (N, M)."""
        return sparse.csr_array((np.ones(len(self.user), dtype=bool), (self.user, self.place)), shape=self.shape)


def greedy(values: Values, budget: np.ndarray, k: int = 1) -> Allocation:
    """The best pair first, then the best of those for which there is room, and so on; half of the optimum at least."""
    pairs = Pairs.of(values, budget, k)
    slots, room = [k] * pairs.shape[0], pairs.budget.tolist()
    taken = np.zeros(len(pairs), dtype=bool)
    order = np.argsort(-pairs.value, kind="stable")
    user, place = pairs.user.tolist(), pairs.place.tolist()
    for pair in order.tolist():
        if slots[user[pair]] and room[place[pair]]:
            slots[user[pair]] -= 1
            room[place[pair]] -= 1
            taken[pair] = True
    return pairs.chosen(taken)


def optimal(values: Values, budget: np.ndarray, k: int = 1) -> Allocation:
    """The best of all, by linear programming.

    The constraints are those of a transportation problem, so a corner of what they allow is whole (Hoffman and Kruskal,
    1956), and the dual simplex of HiGHS ends in one. For up to some hundred thousand pairs.

    Raises:
        RuntimeError: where the solver gives up.
    """
    from scipy.optimize import linprog

    pairs = Pairs.of(values, budget, k)
    if not len(pairs):
        return pairs.chosen(np.zeros(0, dtype=bool), bound=0.0)
    ones, number = np.ones(len(pairs)), np.arange(len(pairs))
    n, m = pairs.shape
    per_user = sparse.csr_array((ones, (pairs.user, number)), shape=(n, len(pairs)))
    per_place = sparse.csr_array((ones, (pairs.place, number)), shape=(m, len(pairs)))
    solved = linprog(
        -pairs.value,
        A_ub=sparse.vstack([per_user, per_place], format="csr"),
        b_ub=np.concatenate([np.full(n, k), pairs.budget]),
        bounds=(0, 1),
        method="highs-ds",
    )
    if not solved.success:
        raise RuntimeError(f"HiGHS found no allocation: {solved.message}; take priced() instead")
    return pairs.chosen(solved.x > 0.5, bound=-float(solved.fun))


def aimed_at_f1(
    allocate: Callable[[Values, np.ndarray, int], Allocation], chances: Values, budget: np.ndarray, k: int = 1
) -> Allocation:
    """Leave out offers that cost more precision than they bring recall: the best expected F1 under budgets.

    F1 is twice the hits over offers made and users servable. A ratio is largest where the hits less half of it for each
    offer made are (Dinkelbach, Management Science 1967), so ``allocate`` is asked again with that taken off each
    chance, until it settles. Expectations are put in place of hits and of users servable.

    Args:
        allocate: ``greedy``, ``optimal`` or ``auction``.
        chances: that the user acts at the place; shape (N, M).
        budget: offers that each place can give; shape (M,).
        k: offers a user gets at most.

    Returns:
        With the expected hits for its value, and no bound.
    """
    table = sparse.csr_array(chances)
    servable = float(np.minimum(np.asarray(table.sum(axis=0)), budget).sum())
    cost, found = 0.0, allocate(table, budget, k)
    for _ in range(_ROUNDS):
        hits = float(table[found.user, found.place].sum())
        ratio = hits / (len(found.user) + servable) if servable else 0.0
        if abs(ratio - cost) < _SETTLED:
            break
        cost, worth = ratio, table.copy()
        worth.data = np.maximum(worth.data - cost, 0)
        found = allocate(worth, budget, k)
    return replace(found, value=float(table[found.user, found.place].sum()), bound=np.nan)


@dataclass(frozen=True)
class Pairs:
    """P pairs worth something, by user; ``place`` ascends for each."""

    user: np.ndarray
    place: np.ndarray
    value: np.ndarray
    budget: np.ndarray
    k: int
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(cls, values: Values, budget: np.ndarray, k: int) -> "Pairs":
        """Check what is asked, and leave out pairs that can never be chosen.

        Raises:
            ValueError: where a budget is negative, missing or one too many, ``k`` below 1, or a value no number.
        """
        budget = np.asarray(budget)
        require_budgets(budget)
        shape: Any = values.shape
        n, m = shape
        if len(budget) != m or k < 1:
            raise ValueError(f"{m} places take {m} budgets and a user at least one offer: got {len(budget)}, k={k}")
        row, column, data = sparse.find(values)
        if np.isnan(data).any():
            raise ValueError("a value is not a number; give 0 to a pair that must not be chosen")
        worth = (data > 0) & (budget[column] >= 1)
        user, place, value = row[worth], column[worth], data[worth]
        order = np.lexsort((place, user))
        whole = np.minimum(budget, n).astype(np.int64)  # none can give more than one to each
        return cls(user[order], place[order], value[order].astype(np.float64), whole, k, (n, m))

    def chosen(self, taken: np.ndarray, bound: float = np.nan) -> Allocation:
        """Some of the pairs; ``taken`` is a mask of shape (P,)."""
        return Allocation(self.user[taken], self.place[taken], float(self.value[taken].sum()), bound, self.shape)
