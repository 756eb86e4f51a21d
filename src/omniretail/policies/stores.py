"""Rules by store: which stores serve a customer, and which items they have."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, get_args

import numpy as np
from scipy import sparse

from omniretail.core import checks
from omniretail.core.errors import SettingsError
from omniretail.policies.protocol import Carries, TableOrPath, table, unknown
from omniretail.views.histories import Histories
from omniretail.views.stores.visits import own_store, since, sold
from omniretail.views.train import Train

log = logging.getLogger(__name__)

Choice = Literal["most_frequent", "last"]


class Reach(Protocol):
    """Which stores may serve a customer."""

    def fit(self, train: Train) -> Self:
        """Learn from the data before the cutoff."""
        ...

    def within(self, users: Histories) -> np.ndarray:
        """True where the store may serve the customer; all True for a customer without data; shape (B, S)."""
        ...


@dataclass(eq=False)
class AtStores:
    """Shows items that at least one of the stores that may serve the customer can hand out.

    Missing data limits nothing: a customer without a store may be served by any of them. A customer who is in a store
    now (``Histories.at_store``) is served by that one alone.

    Args:
        reach: which stores may serve the customer; a store must pass each of these.
        carries: which items a store has; an item must pass each of these.
    """

    reach: Sequence[Reach]
    carries: Sequence[Carries]

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            SettingsError: where the log names no stores.
        """
        if not len(train.stores):
            raise SettingsError("this log has no store_id, so no policy by store is possible; choose policy=allow_seen")
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
        in_store = users.at_store >= 0
        within[in_store] = users.at_store[in_store, None] == np.arange(within.shape[1])
        distinct, which = np.unique(within, axis=0, return_inverse=True)  # many customers share their stores
        offered = sparse.csr_array(sparse.csr_array(distinct.astype(np.float32)) @ self.carried_)
        return (offered.toarray() > 0)[which.reshape(-1)]

    def unknown(self, users: Histories) -> np.ndarray:
        """True for customers whose stores are unknown; shape (B,)."""
        return unknown(self.reach_, users)


@dataclass(eq=False)
class OwnStore:
    """The customer is served by their own store only.

    Args:
        choice: ``most_frequent`` of the weeks before the cutoff (the last one where those have no visit), or ``last``.
        weeks: before the cutoff, whose visits count; None: all.
    """

    choice: Choice = "most_frequent"
    weeks: float | None = 8

    def __post_init__(self) -> None:
        checks.one_of(self, "choice", get_args(Choice))
        checks.above(self, "weeks")

    def fit(self, train: Train) -> Self:
        """See ``Reach``."""
        self.start_ = since(train, self.weeks)
        self.n_stores_ = len(train.stores)
        return self

    def of(self, users: Histories) -> np.ndarray:
        """Indices of stores, -1 where the customer has none; shape (B,)."""
        return own_store(users, self.choice, self.start_)

    def within(self, users: Histories) -> np.ndarray:
        """See ``Reach``."""
        own = self.of(users)
        return (own[:, None] == np.arange(self.n_stores_)) | (own < 0)[:, None]

    def unknown(self, users: Histories) -> np.ndarray:
        """True for customers without a store; shape (B,)."""
        return self.of(users) < 0


@dataclass(eq=False)
class Sold:
    """A store has the items that it sold in the weeks before the cutoff.

    In a log of a sample of customers this is a lower bound: items that only others bought there are missing.

    Args:
        weeks: before the cutoff, whose sales count; None: all.
        at_least: events from which on the store has the item.
    """

    weeks: float | None = 8
    at_least: int = 1

    def __post_init__(self) -> None:
        checks.above(self, "weeks")
        checks.at_least(self, "at_least", low=1)

    def carried(self, train: Train) -> sparse.csr_array:
        """See ``Carries``."""
        counts = sold(train, self.weeks)
        counts.data *= counts.data >= self.at_least
        counts.eliminate_zeros()
        return counts


@dataclass(eq=False)
class InStock:
    """A store has the items of its stock table; stores that the table does not name have every item.

    Args:
        stock: columns ``store_id``, ``item_id``, ``quantity`` (pieces), as of the cutoff.
        at_least: pieces in stock from which on the store has the item.
    """

    stock: TableOrPath
    at_least: float = 1

    def __post_init__(self) -> None:
        checks.above(self, "at_least")

    def carried(self, train: Train) -> sparse.csr_array:
        """See ``Carries``."""
        stock = table(self.stock, "stock", ("store_id", "item_id", "quantity"))
        store, item = train.stores.encode(stock.store_id), train.items.encode(stock.item_id)
        n_unknown = stock.store_id[store < 0].nunique()
        if n_unknown:
            log.warning("stock of %d stores that never sold anything before the cutoff is left out", n_unknown)
        in_stock = (stock.quantity.to_numpy() >= self.at_least) & (store >= 0) & (item >= 0)
        shape = (len(train.stores), len(train.items))
        not_named = np.flatnonzero(~np.isin(np.arange(shape[0]), store))
        rows = np.concatenate([store[in_stock], np.repeat(not_named, shape[1])])
        columns = np.concatenate([item[in_stock], np.tile(np.arange(shape[1]), len(not_named))])
        return sparse.coo_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape).tocsr()
