"""A rule by the offers in force."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.policies.protocol import canonical_table
from omniretail.views.histories import NO_TIME, Histories
from omniretail.views.train import Train

if TYPE_CHECKING:  # a service applies rules to scores and never opens tables
    from omniretail.schema import Tables

log = logging.getLogger(__name__)


@dataclass(eq=False)
class OffersInForce:
    """Shows only items covered by an offer in force: ``start <= at < end``, by default at the cutoff.

    An offer without items covers nothing, and one whose dates are reversed is never in force; the log counts both.

    Args:
        tables: loads the canonical tables; called in ``fit``.
        for_recipients: only offers that were sent to the customer before the cutoff; False: every offer for everybody.
    """

    tables: "Callable[[], Tables]"
    for_recipients: bool = True

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            SettingsError: where the data has an order but no times.
            DataError: where the source has no offers.
        """
        if not train.zone:
            raise SettingsError("OffersInForce: this data has an order but no times; remove the rule")
        tables, self.at_ = self.tables(), np.array(train.at)
        offers = _valid(canonical_table(tables, "offers"))
        self.start_, self.end_ = (offers[name].to_numpy("datetime64[us]") for name in ("start", "end"))  # (P,)
        self.offer_, offer_ids = pd.factorize(offers.offer_id)  # (P,), (O,): an offer may have several periods
        pairs = canonical_table(tables, "offer_items")
        offer, item = pd.Index(offer_ids).get_indexer(pd.Index(pairs.offer_id)), train.items.encode(pairs.item_id)
        self.covered_ = _matrix(offer, item, (len(offer_ids), len(train.items)))  # (O, I)
        now = self._in_force(train.at)
        if n_empty := int((np.diff(self.covered_.indptr)[now] == 0).sum()):
            log.warning("%d of %d offers in force cover no item of the catalogue", n_empty, len(now))
        if self.for_recipients:
            self.received_ = _received(canonical_table(tables, "offer_events"), train, pd.Index(offer_ids))  # (U, O)
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``; a customer who is served at a time of their own has the offers that are in force then."""
        times = np.where(users.served_at == NO_TIME, self.at_, users.served_at)
        for at in np.unique(times):
            rows = np.flatnonzero(times == at)
            scores[rows[:, None], np.arange(scores.shape[1])] = np.where(
                self._offered(users.user_idx[rows], at), scores[rows], -np.inf
            )
        return scores

    def _offered(self, user_idx: np.ndarray, at: int) -> np.ndarray:
        """True where an offer in force covers the item; shape (B, I)."""
        now = self._in_force(at)
        covered = self.covered_[now]
        if not self.for_recipients:
            return np.tile(np.asarray(covered.sum(axis=0)) > 0, (len(user_idx), 1))
        offered = np.zeros((len(user_idx), covered.shape[1]), dtype=bool)  # users not in training have no offers
        known = user_idx >= 0
        offered[known] = sparse.csr_array(self.received_[user_idx[known]][:, now] @ covered).toarray() > 0
        return offered

    def _in_force(self, at: int) -> np.ndarray:
        """Places of the offers with ``start <= at < end``."""
        time = np.datetime64(int(at), "s")
        return np.unique(self.offer_[(self.start_ <= time) & (time < self.end_)])


def _valid(offers: pd.DataFrame) -> pd.DataFrame:
    """The offers that do not end before they start."""
    is_reversed = offers.end < offers.start
    if n_reversed := int(is_reversed.sum()):
        log.warning("%d offers end before they start and are never in force", n_reversed)
    return pd.DataFrame(offers[~is_reversed])


def _received(events: pd.DataFrame, train: Train, offer_ids: pd.Index) -> sparse.csr_array:
    """Nonzero where the customer was sent the offer before the cutoff; shape (U, O)."""
    sent = events[(events.event_type == "sent") & (events.timestamp < np.datetime64(train.at, "s"))]
    user, offer = train.users.encode(sent.user_id), pd.Index(offer_ids).get_indexer(pd.Index(sent.offer_id))
    return _matrix(user, offer, (len(train.users), len(offer_ids)))


def _matrix(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Counts of pairs; those with an index of -1 are left out."""
    both = (row >= 0) & (column >= 0)
    ones = np.ones(int(both.sum()), dtype=np.float32)
    return sparse.coo_array((ones, (row[both], column[both])), shape=shape).tocsr()
