"""Offers under budgets, solved greedily or exactly; ``auction`` solves the same at any size.

Each of N users gets at most ``k`` offers, each of M places gives at most its budget of them, and the sum of the values
of the chosen pairs is maximized.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.metrics.allocation import require_budgets

Values = np.ndarray | sparse.csr_array
"""Value of each pair, e.g. the probability that the user goes there; pairs of 0 or less are never chosen; (N, M)."""

_ROUNDS, _TOLERANCE = 30, 1e-9


@dataclass(frozen=True)
class Assignment:
    """The chosen pairs of user and place.

    Attributes:
        user: numbers; shape (A,).
        place: numbers; shape (A,).
        value: sum over the pairs.
        bound: upper bound on the value of any assignment; NaN where the solver has none.
        shape: (N, M).
    """

    user: np.ndarray
    place: np.ndarray
    value: float
    bound: float
    shape: tuple[int, int]

    @property
    def gap(self) -> float:
        """Share of the optimum that is missing at most; 0 where it is proven optimal, NaN without a bound."""
        return float(np.maximum(0.0, 1 - self.value / self.bound)) if self.bound else 0.0

    def matrix(self) -> sparse.csr_array:
        """True where a pair is chosen; shape (N, M)."""
        return sparse.csr_array((np.ones(len(self.user), dtype=bool), (self.user, self.place)), shape=self.shape)


def greedy(values: Values, budget: np.ndarray, k: int = 1) -> Assignment:
    """The best pair first, then the best that still fits, and so on; at least half of the optimum."""
    pairs = Pairs.of(values, budget, k)
    slots, room = [k] * pairs.shape[0], pairs.budget.tolist()
    chosen = np.zeros(len(pairs), dtype=bool)
    order = np.argsort(-pairs.value, kind="stable")
    user, place = pairs.user.tolist(), pairs.place.tolist()
    for pair in order.tolist():
        if slots[user[pair]] and room[place[pair]]:
            slots[user[pair]] -= 1
            room[place[pair]] -= 1
            chosen[pair] = True
    return pairs.assignment(chosen)


def optimal(values: Values, budget: np.ndarray, k: int = 1) -> Assignment:
    """The optimum, by linear programming; for up to some hundred thousand pairs.

    The constraints are those of a transportation problem, whose vertices are integral (Hoffman and Kruskal, 1956), and
    the dual simplex of HiGHS ends in a vertex.

    Raises:
        RuntimeError: where the solver fails.
    """
    from scipy.optimize import linprog

    pairs = Pairs.of(values, budget, k)
    if not len(pairs):
        return pairs.assignment(np.zeros(0, dtype=bool))
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
        raise RuntimeError(f"HiGHS has no solution: {solved.message}; use auction() instead")
    return pairs.assignment(solved.x > 0.5, bound=-float(solved.fun))


def aimed_at_f1(
    solve: Callable[[Values, np.ndarray, int], Assignment], probability: Values, budget: np.ndarray, k: int = 1
) -> Assignment:
    """The best expected F1 under budgets: offers that cost more precision than they bring recall are left out.

    F1 is twice the hits over the offers made plus the users that can be served. Dinkelbach's method for ratios
    (Management Science 1967) solves again with half of the current F1 taken off each probability, until it converges.
    Hits and users that can be served are replaced by their expectations.

    Args:
        solve: ``greedy``, ``optimal`` or ``auction``.
        probability: that the user acts at the place; shape (N, M).
        budget: offers that each place can give; shape (M,).
        k: offers per user, at most.

    Returns:
        Its value is the expected number of hits; it has no bound.
    """
    table = sparse.csr_array(probability)
    servable = float(np.minimum(np.asarray(table.sum(axis=0)), budget).sum())
    cost, chosen = 0.0, solve(table, budget, k)
    for _ in range(_ROUNDS):
        hits = float(table[chosen.user, chosen.place].sum())
        ratio = hits / (len(chosen.user) + servable) if servable else 0.0
        if abs(ratio - cost) < _TOLERANCE:
            break
        cost, value = ratio, table.copy()
        value.data = np.maximum(value.data - cost, 0)
        chosen = solve(value, budget, k)
    return replace(chosen, value=float(table[chosen.user, chosen.place].sum()), bound=np.nan)


@dataclass(frozen=True)
class Pairs:
    """P pairs with a positive value, ordered by user, then place."""

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
        """Check the problem, and leave out pairs that can never be chosen.

        Raises:
            SettingsError: where a budget is negative, missing or one too many, ``k`` below 1, or a value no number.
        """
        budget = np.asarray(budget)
        require_budgets(budget)
        shape: Any = values.shape
        n, m = shape
        if len(budget) != m or k < 1:
            raise SettingsError(f"{m} places take {m} budgets and a user at least one offer: got {len(budget)}, k={k}")
        row, column, data = sparse.find(values)
        if np.isnan(data).any():
            raise SettingsError("a value is not a number; set 0 for a pair that must not be chosen")
        worth = (data > 0) & (budget[column] >= 1)
        user, place, value = row[worth], column[worth], data[worth]
        order = np.lexsort((place, user))
        whole = np.minimum(budget, n).astype(np.int64)  # no place gives more than one to each user
        return cls(user[order], place[order], value[order].astype(np.float64), whole, k, (n, m))

    def assignment(self, chosen: np.ndarray, bound: float = np.nan) -> Assignment:
        """Some of the pairs; ``chosen`` is a mask of shape (P,)."""
        value = float(self.value[chosen].sum())
        return Assignment(self.user[chosen], self.place[chosen], value, bound if len(self) else 0.0, self.shape)
