"""Offers under budgets at any size: users bid for places, prices rise, and bound how much the result can miss."""

from dataclasses import dataclass, field

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.o2o.allocation.solvers import Assignment, Pairs, Values


def auction(values: Values, budget: np.ndarray, k: int = 1, step: float = 0.005) -> Assignment:
    """Near the optimum, for any size.

    Bertsekas's auction (Annals of Operations Research 1988) with several equal slots at each place and up to ``k`` of
    them per user. A user with free slots bids for the places with the highest value above price, up to where the next
    best would be as good, plus ``step``; a place accepts the highest bids that its budget allows, and once it is full
    the lowest of them is its price. In the end each offer is within ``step`` of what its user prefers, so the value is
    within ``step`` times the number of offers of the optimum. The prices bound what is missing (Lagrangian duality):
    see ``Assignment.gap``.

    Args:
        values: see ``solvers.Values``.
        budget: offers that each place can give; shape (M,).
        k: offers per user, at most.
        step: as a share of the mean user's best value; smaller is nearer to the optimum and slower.

    Raises:
        SettingsError: as ``solvers.greedy``, and where ``step`` is not above 0.
    """
    if not step > 0:
        raise SettingsError(f"step={step} must be above 0, or prices would not rise")
    pairs = Pairs.of(values, budget, k)
    market = _Market.of(pairs)
    step = step * float(market.value.max(axis=1, initial=0).mean()) if len(pairs) else step
    bidders = np.unique(pairs.user)
    while len(bidders):
        bidders = market.accepted(*market.bids(bidders, step))
    user, column = np.nonzero(market.held)
    place, value = market.place[user, column], float(market.value[user, column].sum())
    return Assignment(user, place, value, max(market.bound(), value), pairs.shape)


@dataclass(frozen=True)
class _Market:
    """The state of an auction; users have C columns, one for each place with a positive value.

    Attributes:
        place: of each column, M where there is none; shape (N, C).
        value: 0 where there is none; shape (N, C).
        budget: of each place; shape (M,).
        k: offers per user, at most.
        prices: and a zero for no place; shape (M + 1,).
        held: True where the user holds a slot of the place; shape (N, C).
        bid: by which it is held; shape (N, C).
    """

    place: np.ndarray
    value: np.ndarray
    budget: np.ndarray
    k: int
    prices: np.ndarray
    held: np.ndarray
    bid: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, pairs: Pairs) -> "_Market":
        n, m = pairs.shape
        column = np.arange(len(pairs)) - np.searchsorted(pairs.user, pairs.user)
        shape = (n, int(column.max(initial=0)) + 1)
        place, value = np.full(shape, m), np.zeros(shape)
        place[pairs.user, column], value[pairs.user, column] = pairs.place, pairs.value
        return cls(place, value, pairs.budget, pairs.k, np.zeros(m + 1), np.zeros(shape, dtype=bool), np.zeros(shape))

    def bids(self, bidders: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """User, column and amount of the bids of users with free slots; each (B,)."""
        held = self.held[bidders]
        net = np.where(held, -np.inf, self.value[bidders] - self.prices[self.place[bidders]])  # (A, C)
        free = self.k - held.sum(axis=1)
        ordered = -np.sort(-net, axis=1)
        beyond = np.take_along_axis(ordered, np.minimum(free, net.shape[1] - 1)[:, None], axis=1)[:, 0]
        next_best = np.where(free < net.shape[1], np.maximum(beyond, 0), 0)
        rank = np.argsort(np.argsort(-net, axis=1, kind="stable"), axis=1, kind="stable")
        row, column = np.nonzero((rank < free[:, None]) & (net > 0))
        user = bidders[row]
        return user, column, self.value[user, column] - next_best[row] + step

    def accepted(self, user: np.ndarray, column: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """Places accept the highest bids; users who were rejected or displaced are returned and bid again."""
        touched = np.zeros(len(self.prices), dtype=bool)
        touched[self.place[user, column]] = True
        holder, slot = np.nonzero(self.held & touched[self.place])
        user, column = np.concatenate([holder, user]), np.concatenate([slot, column])
        amount = np.concatenate([self.bid[holder, slot], amount])
        place = self.place[user, column]
        order = np.lexsort((-amount, place))
        user, column, amount, place = user[order], column[order], amount[order], place[order]
        rank = np.arange(len(place)) - np.searchsorted(place, place)
        wins, lowest = rank < self.budget[place], rank == self.budget[place] - 1
        self.held[user, column], self.bid[user, column] = wins, amount
        self.prices[place[lowest]] = amount[lowest]
        return np.unique(user[~wins])

    def bound(self) -> float:
        """Upper bound on any value: what users could get above the prices, and the budgets at these prices."""
        net = np.maximum(self.value - self.prices[self.place], 0)
        best = -np.sort(-net, axis=1)[:, : self.k]
        return float(best.sum() + (self.budget * self.prices[:-1]).sum())
