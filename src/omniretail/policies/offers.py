"""A rule by the offers in force at the cutoff."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.policies.protocol import canonical_table
from omniretail.views.histories import Histories
from omniretail.views.train import Train

if TYPE_CHECKING:  # a service applies rules to scores and never opens tables
    from omniretail.schema import Tables

log = logging.getLogger(__name__)


@dataclass(eq=False)
class OffersInForce:
    """Shows only items covered by an offer in force at the cutoff: ``start <= cutoff < end``.

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
        tables, at = self.tables(), np.datetime64(train.at, "s")
        in_force = _in_force(canonical_table(tables, "offers"), at)
        pairs = canonical_table(tables, "offer_items")
        offer, item = pd.Index(in_force).get_indexer(pd.Index(pairs.offer_id)), train.items.encode(pairs.item_id)
        covered = _matrix(offer, item, (len(in_force), len(train.items)))
        n_empty = int((np.diff(covered.indptr) == 0).sum())
        if n_empty:
            log.warning("%d of %d offers in force cover no item of the catalogue", n_empty, len(in_force))
        self.offered_ = covered.sum(axis=0) > 0  # (I,)
        if self.for_recipients:
            received = _received(canonical_table(tables, "offer_events"), at, train, in_force)
            self.own_ = sparse.csr_array(received @ covered)  # (U, I)
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        if not self.for_recipients:
            scores[:, ~self.offered_] = -np.inf
            return scores
        offered = np.zeros(scores.shape, dtype=bool)  # users who were not in training have no offers
        in_training = users.user_idx >= 0
        offered[in_training] = self.own_[users.user_idx[in_training]].toarray() > 0
        scores[~offered] = -np.inf
        return scores


def _in_force(offers: pd.DataFrame, at: np.datetime64) -> np.ndarray:
    """Ids of the offers in force; shape (O,)."""
    n_reversed = int((offers.end < offers.start).sum())
    if n_reversed:
        log.warning("%d offers end before they start and are never in force", n_reversed)
    return np.asarray(offers.offer_id[(offers.start <= at) & (at < offers.end)].unique())


def _received(events: pd.DataFrame, at: np.datetime64, train: Train, in_force: np.ndarray) -> sparse.csr_array:
    """Nonzero where the customer was sent the offer before the cutoff; shape (U, O)."""
    sent = events[(events.event_type == "sent") & (events.timestamp < at)]
    user, offer = train.users.encode(sent.user_id), pd.Index(in_force).get_indexer(pd.Index(sent.offer_id))
    return _matrix(user, offer, (len(train.users), len(in_force)))


def _matrix(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Counts of pairs; those with an index of -1 are left out."""
    both = (row >= 0) & (column >= 0)
    ones = np.ones(int(both.sum()), dtype=np.float32)
    return sparse.coo_array((ones, (row[both], column[both])), shape=shape).tocsr()
