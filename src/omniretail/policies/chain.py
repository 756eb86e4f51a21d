"""Several rules as one policy, with what happens where they leave nothing, and what they changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from omniretail.policies.protocol import Rule, applied, described, fitted, unknown
from omniretail.policies.stores import OwnStore
from omniretail.views.histories import Histories
from omniretail.views.stores.visits import sold
from omniretail.views.train import Train

Fallback = Literal["popular_at_store", "unconstrained", "empty"]


@dataclass(frozen=True)
class Decision:
    """What a chain made of a batch of scores.

    Attributes:
        free: with only the rules that always hold; shape (B, I).
        shown: what lists are made from; shape (B, I).
        feasible: False where a rule took the item out; shape (B, I).
        fell_back: customers for whom nothing was left; shape (B,).
        unknown: customers about whom a rule knew nothing; shape (B,).
    """

    free: np.ndarray
    shown: np.ndarray
    feasible: np.ndarray
    fell_back: np.ndarray
    unknown: np.ndarray


class Chain:
    """Rules one after the other: what any of them takes out is not shown.

    Rules that look at the order of a list (``CategoryCap``) belong at the end, where only feasible items are left.

    Args:
        rules: what makes a recommendation feasible.
        always: rules that hold for the unconstrained list and for the fallback too, such as ``hide_seen`` or
            ``Exclude``.
        fallback: for a customer for whom the rules leave nothing: ``popular_at_store``, what the customer's store sold
            most (what all stores sold most, where that leaves nothing or the store is not known); ``unconstrained``, as
            if there were no rules; ``empty``, no list.
        store: the customer's store, for ``popular_at_store``.
        weeks: before the cutoff, whose sales count for ``popular_at_store``; None: all.

    Raises:
        ValueError: where ``fallback`` is another word.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        always: Sequence[Rule] = (),
        fallback: Fallback = "unconstrained",
        store: OwnStore | None = None,
        weeks: float | None = 8,
    ) -> None:
        if fallback not in get_args(Fallback):
            raise ValueError(f"policy.fallback={fallback!r} is not one of {', '.join(get_args(Fallback))}")
        self.rules = rules
        self.always = always
        self.fallback: Fallback = fallback
        self.store = OwnStore(weeks=weeks) if store is None else store
        self.weeks = weeks

    def fit(self, train: Train) -> Self:
        """Make every rule ready; see ``Rule``.

        Raises:
            ValueError: where ``popular_at_store`` is asked for and the log names no stores.
        """
        self.rules_, self.always_ = fitted(self.rules, train), fitted(self.always, train)
        if self.fallback == "popular_at_store":
            if not len(train.stores):
                raise ValueError("this log has no store_id; choose policy.fallback=unconstrained or empty")
            (self.store_,) = fitted([self.store], train)
            self.sold_ = sold(train, self.weeks)  # (S, I)
            self.everywhere_ = np.asarray(self.sold_.sum(axis=0), dtype=np.float32)  # (I,)
        return self

    def __str__(self) -> str:
        always, rules = (" + ".join(map(described, each)) for each in (self.always, self.rules))
        return f"{rules}; always {always or 'nothing'}; else {self.fallback}"

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        return self.decide(scores, users).shown

    def decide(self, scores: np.ndarray, users: Histories) -> Decision:
        """The scores after the rules, beside what they would have been without.

        Args:
            scores: changed in place; shape (B, I).
            users: the B users.
        """
        free = applied(self.always_, scores, users)
        shown = applied(self.rules_, free.copy(), users)
        feasible = shown > -np.inf
        fell_back = np.asarray(~feasible.any(axis=1))
        if fell_back.any() and self.fallback != "empty":
            shown[fell_back] = self._instead(free[fell_back], users.take(np.flatnonzero(fell_back)))
        return Decision(free, shown, feasible, fell_back, unknown(self.rules_, users))

    def _instead(self, free: np.ndarray, users: Histories) -> np.ndarray:
        """Scores for customers for whom nothing was left; shape (B, I)."""
        if self.fallback == "unconstrained":
            return free
        counts = self._left(self.sold_[np.maximum(self.store_.of(users), 0)].toarray(), users)
        nothing = (self.store_.of(users) < 0) | ~(counts > -np.inf).any(axis=1)
        everywhere = np.tile(self.everywhere_, (int(nothing.sum()), 1))
        counts[nothing] = self._left(everywhere, users.take(np.flatnonzero(nothing)))
        return counts

    def _left(self, counts: np.ndarray, users: Histories) -> np.ndarray:
        """Counts as scores: what was not sold, or must never be shown, is not."""
        counts[counts == 0] = -np.inf
        return applied(self.always_, counts, users)
