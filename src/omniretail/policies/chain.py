"""Several rules as one policy, with a fallback where they leave no item."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, get_args, runtime_checkable

import numpy as np

from omniretail.core.checks import above, one_of
from omniretail.core.errors import SettingsError
from omniretail.policies.protocol import Rule, applied, described, fitted, unknown
from omniretail.policies.stores import OwnStore
from omniretail.views.histories import Histories
from omniretail.views.stores.visits import sold
from omniretail.views.train import Train

Fallback = Literal["popular_at_store", "unconstrained", "empty"]


@dataclass(frozen=True)
class Decision:
    """A batch of scores after a chain's rules.

    Attributes:
        free: scores under the rules in ``always`` alone; shape (B, I).
        shown: scores from which lists are made; shape (B, I).
        feasible: False where a rule hides the item; shape (B, I).
        fell_back: customers without any feasible item; shape (B,).
        unknown: customers of whom a rule has no data; shape (B,).
    """

    free: np.ndarray
    shown: np.ndarray
    feasible: np.ndarray
    fell_back: np.ndarray
    unknown: np.ndarray


@runtime_checkable
class Decides(Protocol):
    """A policy that also says what its rules changed; ``Chain`` is one."""

    fallback: Fallback

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        ...

    def decide(self, scores: np.ndarray, users: Histories, allowed: np.ndarray | None = None) -> Decision:
        """See ``Chain.decide``."""
        ...


@dataclass(eq=False)
class Chain:
    """Rules one after the other; an item that any of them hides is not shown.

    Rules that depend on the order of a list (``CategoryCap``) belong at the end, where only feasible items are left.

    Args:
        rules: that make a recommendation feasible.
        always: rules that hold for the unconstrained list and for the fallback too, such as ``hide_seen`` or
            ``Exclude``.
        fallback: for a customer without any feasible item: ``popular_at_store``, the best sellers of the customer's
            store (of all stores, where none of those may be shown or the customer has no store); ``unconstrained``, as
            without ``rules``; ``empty``, no list.
        store: the customer's store, for ``popular_at_store``; None: ``OwnStore`` over ``weeks``.
        weeks: before the cutoff, whose sales count for ``popular_at_store``; None: all.
    """

    rules: Sequence[Rule]
    always: Sequence[Rule] = ()
    fallback: Fallback = "unconstrained"
    store: OwnStore | None = None
    weeks: float | None = 8

    def __post_init__(self) -> None:
        one_of(self, "fallback", get_args(Fallback))
        above(self, "weeks")
        self.store = OwnStore(weeks=self.weeks) if self.store is None else self.store

    def fit(self, train: Train) -> Self:
        """Fit every rule; see ``Rule``.

        Raises:
            SettingsError: where the fallback is ``popular_at_store`` and the log names no stores.
        """
        self.rules_, self.always_ = fitted(self.rules, train), fitted(self.always, train)
        if self.fallback == "popular_at_store":
            if not len(train.stores):
                raise SettingsError(
                    "this log has no store_id; set policy.fallback=unconstrained or policy.fallback=empty"
                )
            (self.store_,) = fitted([self.store], train)
            self.sold_ = sold(train, self.weeks)  # (S, I)
            self.sold_in_all_ = np.asarray(self.sold_.sum(axis=0), dtype=np.float32)  # (I,)
        return self

    def __str__(self) -> str:
        always, rules = (" + ".join(map(described, each)) for each in (self.always, self.rules))
        return f"{rules}; always {always or 'nothing'}; else {self.fallback}"

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        return self.decide(scores, users).shown

    def decide(self, scores: np.ndarray, users: Histories, allowed: np.ndarray | None = None) -> Decision:
        """The scores with and without the rules.

        Args:
            scores: changed in place; shape (B, I).
            users: the B users.
            allowed: True where an item may be shown at all, by the fallback too, such as the candidates of a request;
                shape (B, I). None: every item.
        """
        if allowed is not None:
            scores[~allowed] = -np.inf
        free = applied(self.always_, scores, users)
        shown = applied(self.rules_, free.copy(), users)
        feasible = shown > -np.inf
        fell_back = np.asarray(~feasible.any(axis=1))
        if fell_back.any() and self.fallback != "empty":
            mask = True if allowed is None else allowed[fell_back]
            shown[fell_back] = self._fallback_scores(free[fell_back], users.take(np.flatnonzero(fell_back)), mask)
        return Decision(free, shown, feasible, fell_back, unknown(self.rules_, users))

    def _fallback_scores(self, free: np.ndarray, users: Histories, mask: np.ndarray | bool) -> np.ndarray:
        """Scores for customers without any feasible item; shape (B, I)."""
        if self.fallback == "unconstrained":
            return free
        own = self.store_.of(users)
        counts = self._sales_scores(self.sold_[np.maximum(own, 0)].toarray() * mask, users)
        empty = (own < 0) | ~(counts > -np.inf).any(axis=1)
        in_all_stores = (np.broadcast_to(self.sold_in_all_, counts.shape) * mask)[empty]
        counts[empty] = self._sales_scores(in_all_stores, users.take(np.flatnonzero(empty)))
        return counts

    def _sales_scores(self, counts: np.ndarray, users: Histories) -> np.ndarray:
        """Counts as scores, items that were not sold and those that ``always`` hides at -inf."""
        counts[counts == 0] = -np.inf
        return applied(self.always_, counts, users)
