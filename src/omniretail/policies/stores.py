"""What the stores that serve a customer can deliver: whose store is whose, what was sold there, what is in stock."""

import logging
from collections.abc import Sequence
from typing import Literal, Protocol, Self

import numpy as np
from scipy import sparse

from omniretail.policies.protocol import TableOrPath, table, unknown
from omniretail.views.histories import Histories
from omniretail.views.stores.visits import own_store, since, sold
from omniretail.views.train import Train

log = logging.getLogger(__name__)


class Reach(Protocol):
    """Which stores may serve a customer."""

    def fit(self, train: Train) -> Self:
        """Keep what is needed of the facts before the cutoff."""
        ...

    def within(self, users: Histories) -> np.ndarray:
        """True where the store may serve the customer; all True where nothing is known of the customer; (B, S)."""
        ...


class Carries(Protocol):
    """Which items a store can hand out."""

    def carried(self, train: Train) -> sparse.csr_array:
        """Stored where the store has the item; shape (S, I)."""
        ...


class AtStores:
    """Shows what at least one of the stores that may serve the customer can hand out.

    What is not known limits nothing: a customer without a store may be served by any of them. A customer who is served
    in a store now (``Histories.at_store``) is served by that one alone.

    Args:
        reach: which stores may serve the customer; a store must pass each of these.
        carries: which items a store has; an item must pass each of these.
    """

    def __init__(self, reach: Sequence[Reach], carries: Sequence[Carries]) -> None:
        self.reach = reach
        self.carries = carries

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            ValueError: where the log names no stores.
        """
        if not len(train.stores):
            raise ValueError("this log has no store_id, so no policy by store is possible; choose policy=allow_seen")
        self.reach_ = [each.fit(train) for each in self.reach]
        first, *others = [each.carried(train) for each in self.carries]
        self.carried_ = first  # (S, I)
        for other in others:
            self.carried_ = sparse.csr_array(self.carried_.multiply(other))
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        scores[~self.feasible(users)] = -np.inf
        return scores

    def feasible(self, users: Histories) -> np.ndarray:
        """True where a store that may serve the customer has the item; shape (B, I)."""
        within = np.logical_and.reduce([each.within(users) for each in self.reach_])  # (B, S)
        told = users.at_store >= 0
        within[told] = users.at_store[told, None] == np.arange(within.shape[1])
        kinds, which = np.unique(within, axis=0, return_inverse=True)  # customers of one store are alike
        offered = sparse.csr_array(sparse.csr_array(kinds.astype(np.float32)) @ self.carried_)  # (kinds, I)
        return (offered.toarray() > 0)[which.reshape(-1)]

    def unknown(self, users: Histories) -> np.ndarray:
        """True for customers about whose stores nothing is known; shape (B,)."""
        return unknown(self.reach_, users)


class OwnStore:
    """The customer's own store serves them, no other.

    Args:
        choice: ``most_frequent`` of the weeks before the cutoff (the last one where they hold no visit), or ``last``.
        weeks: how far back visits count; None: all of them.

    Raises:
        ValueError: where ``choice`` is another word.
    """

    def __init__(self, choice: Literal["most_frequent", "last"] = "most_frequent", weeks: float | None = 8) -> None:
        if choice not in ("most_frequent", "last"):
            raise ValueError(f"choice={choice!r} is not one of most_frequent, last")
        self.choice: Literal["most_frequent", "last"] = choice
        self.weeks = weeks

    def fit(self, train: Train) -> Self:
        """See ``Reach``."""
        self.start_ = since(train, self.weeks)
        self.n_stores_ = len(train.stores)
        return self

    def of(self, users: Histories) -> np.ndarray:
        """Numbers of stores, -1 where the customer has none; shape (B,)."""
        return own_store(users, self.choice, self.start_)

    def within(self, users: Histories) -> np.ndarray:
        """See ``Reach``."""
        own = self.of(users)
        return (own[:, None] == np.arange(self.n_stores_)) | (own < 0)[:, None]

    def unknown(self, users: Histories) -> np.ndarray:
        """True for customers without a store; shape (B,)."""
        return self.of(users) < 0


class Sold:
    """A store has what it sold in the weeks before the cutoff.

    From a log of some of the customers this is a lower bound: what only others bought there is missing.

    Args:
        weeks: how far back; None: all of the log.
        at_least: events that make an item one the store has.
    """

    def __init__(self, weeks: float | None = 8, at_least: int = 1) -> None:
        self.weeks = weeks
        self.at_least = at_least

    def carried(self, train: Train) -> sparse.csr_array:
        """See ``Carries``."""
        counts = sold(train, self.weeks)
        counts.data *= counts.data >= self.at_least
        counts.eliminate_zeros()
        return counts


class InStock:
    """A store has what its stock table says; one that the table does not name is not limited by it.

    Args:
        stock: columns ``store_id``, ``item_id``, ``quantity`` (pieces), as known at the cutoff.
        at_least: pieces that must be there.
    """

    def __init__(self, stock: TableOrPath, at_least: float = 1) -> None:
        self.stock = stock
        self.at_least = at_least

    def carried(self, train: Train) -> sparse.csr_array:
        """See ``Carries``."""
        stock = table(self.stock, "stock", ("store_id", "item_id", "quantity"))
        store, item = train.stores.encode(stock.store_id), train.items.encode(stock.item_id)
        strange = stock.store_id[store < 0].nunique()
        if strange:
            log.warning("stock of %d stores that never sold anything before the cutoff is left out", strange)
        there = (stock.quantity.to_numpy() >= self.at_least) & (store >= 0) & (item >= 0)
        shape = (len(train.stores), len(train.items))
        not_named = np.flatnonzero(~np.isin(np.arange(shape[0]), store))
        rows = np.concatenate([store[there], np.repeat(not_named, shape[1])])
        columns = np.concatenate([item[there], np.tile(np.arange(shape[1]), len(not_named))])
        return sparse.coo_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape).tocsr()
