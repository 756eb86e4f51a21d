"""Offers under budgets at any size: users bid for places, prices rise, and prove how good the result is."""

from dataclasses import dataclass, field

import numpy as np

from omniretail.o2o.allocation.solvers import Allocation, Pairs, Values


def auction(values: Values, budget: np.ndarray, k: int = 1, step: float = 0.005) -> Allocation:
    """Near the best allocation, for any size.

    Bertsekas's auction (Annals of Operations Research 1988) with several like slots at each place and up to ``k`` of
    them per user. A user without enough places bids for those worth most above their prices, just so much that the next
    best would do as well, and ``step`` more; a place keeps the highest bids that its budget allows, and once it is full
    the lowest of them is its price. In the end each offer misses by at most ``step`` what its user would rather have,
    so the value is within ``step`` times the offers made of the best. The prices prove what is really missing
    (Lagrangian duality): that is ``Allocation.gap``.

    Args:
        values: see ``allocation.Values``.
        budget: offers that each place can give; shape (M,).
        k: offers a user gets at most.
        step: in shares of the mean user's best value; smaller is nearer to the best and slower.

    Raises:
        ValueError: as ``allocation.greedy``, and where ``step`` is not above 0.
    """
    if not step > 0:
        raise ValueError(f"step={step} must be above 0, or prices would not rise")
    pairs = Pairs.of(values, budget, k)
    room = _Room.of(pairs)
    step = step * float(room.value.max(axis=1, initial=0).mean()) if len(pairs) else step
    asking = np.unique(pairs.user)
    while len(asking):
        asking = room.settled(*room.bids(asking, step))
    user, column = np.nonzero(room.held)
    place, value = room.place[user, column], float(room.value[user, column].sum())
    return Allocation(user, place, value, max(room.bound(), value), pairs.shape)


@dataclass(frozen=True)
class _Room:
    """An auction under way; users have C columns, one per place that may be worth something to them.

    Attributes:
        place: of each column, M where there is none; shape (N, C).
        value: 0 where there is none; shape (N, C).
        budget: of each place; shape (M,).
        k: offers a user gets at most.
        prices: and a nought for what is no place; shape (M + 1,).
        held: True where the user has the place for now; shape (N, C).
        offer: the bid by which it is held; shape (N, C).
    """

    place: np.ndarray
    value: np.ndarray
    budget: np.ndarray
    k: int
    prices: np.ndarray
    held: np.ndarray
    offer: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, pairs: Pairs) -> "_Room":
        n, m = pairs.shape
        column = np.arange(len(pairs)) - np.searchsorted(pairs.user, pairs.user)
        shape = (n, int(column.max(initial=0)) + 1)
        place, value = np.full(shape, m), np.zeros(shape)
        place[pairs.user, column], value[pairs.user, column] = pairs.place, pairs.value
        return cls(place, value, pairs.budget, pairs.k, np.zeros(m + 1), np.zeros(shape, dtype=bool), np.zeros(shape))

    def bids(self, asking: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """User, column and amount of the bids of users who have room; each (B,)."""
        held = self.held[asking]
        net = np.where(held, -np.inf, self.value[asking] - self.prices[self.place[asking]])  # (A, C)
        free = self.k - held.sum(axis=1)
        ordered = -np.sort(-net, axis=1)
        beyond = np.take_along_axis(ordered, np.minimum(free, net.shape[1] - 1)[:, None], axis=1)[:, 0]
        other = np.where(free < net.shape[1], np.maximum(beyond, 0), 0)  # what the next best would be worth
        rank = np.argsort(np.argsort(-net, axis=1, kind="stable"), axis=1, kind="stable")
        row, column = np.nonzero((rank < free[:, None]) & (net > 0))
        user = asking[row]
        return user, column, self.value[user, column] - other[row] + step

    def settled(self, user: np.ndarray, column: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """Places keep the highest bids; those who were turned down or pushed out are returned, they ask again."""
        touched = np.zeros(len(self.prices), dtype=bool)
        touched[self.place[user, column]] = True
        holder, slot = np.nonzero(self.held & touched[self.place])
        user, column = np.concatenate([holder, user]), np.concatenate([slot, column])
        amount = np.concatenate([self.offer[holder, slot], amount])
        place = self.place[user, column]
        order = np.lexsort((-amount, place))
        user, column, amount, place = user[order], column[order], amount[order], place[order]
        rank = np.arange(len(place)) - np.searchsorted(place, place)
        kept, lowest = rank < self.budget[place], rank == self.budget[place] - 1
        self.held[user, column], self.offer[user, column] = kept, amount
        self.prices[place[lowest]] = amount[lowest]
        return np.unique(user[~kept])

    def bound(self) -> float:
        """What users could get above the prices at most, and the budgets at these prices."""
        net = np.maximum(self.value - self.prices[self.place], 0)
        best = -np.sort(-net, axis=1)[:, : self.k]
        return float(best.sum() + (self.budget * self.prices[:-1]).sum())
