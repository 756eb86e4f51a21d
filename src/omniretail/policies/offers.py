"""Offers in force at the moment of recommendation."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.core.errors import DataError
from omniretail.views.histories import Histories
from omniretail.views.train import Train

if TYPE_CHECKING:  # a service applies rules to scores and never opens tables
    from omniretail.schema import Tables

log = logging.getLogger(__name__)


class OffersInForce:
    """Shows only what an offer covers that runs at the cutoff: ``start <= cutoff < end``.

    An offer without items covers nothing, and one whose dates are reversed never runs; both are counted in the log.

    Args:
        tables: gives the canonical tables; called when they are needed.
        for_recipients: only offers sent to the customer before the cutoff count for them; False: all, for everybody.
    """

    def __init__(self, tables: "Callable[[], Tables]", for_recipients: bool = True) -> None:
        self.tables = tables
        self.for_recipients = for_recipients

    def fit(self, train: Train) -> Self:
        """See ``Rule``.

        Raises:
            ValueError: where the data holds an order only, so no offer can be in force.
            DataError: where the source has no offers.
        """
        if not train.zone:
            raise ValueError("OffersInForce: this data holds an order only, so no offer has a time; take the rule out")
        tables, at = self.tables(), np.datetime64(train.at, "s")
        running = _running(_frame(tables, "offers"), at)
        covers = _frame(tables, "offer_items")
        offer, item = pd.Index(running).get_indexer(pd.Index(covers.offer_id)), train.items.encode(covers.item_id)
        known = (offer >= 0) & (item >= 0)
        covered = _pairs(offer[known], item[known], (len(running), len(train.items)))
        bare = int((np.diff(covered.indptr) == 0).sum())
        if bare:
            log.warning("%d of %d offers in force cover no item of the catalogue", bare, len(running))
        self.offered_ = covered.sum(axis=0) > 0  # (I,)
        if self.for_recipients:
            received = _received(_frame(tables, "offer_events"), at, train, running)
            self.own_ = sparse.csr_array(received @ covered)  # (U, I)
        return self

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        if not self.for_recipients:
            scores[:, ~self.offered_] = -np.inf
            return scores
        offered = np.zeros(scores.shape, dtype=bool)  # whoever was not in training was sent nothing
        known = users.user_idx >= 0
        offered[known] = self.own_[users.user_idx[known]].toarray() > 0
        scores[~offered] = -np.inf
        return scores


def _running(offers: pd.DataFrame, at: np.datetime64) -> np.ndarray:
    """Ids of the offers in force; shape (O,)."""
    reversed_ = int((offers.end < offers.start).sum())
    if reversed_:
        log.warning("%d offers end before they start and are never in force", reversed_)
    return np.asarray(offers.offer_id[(offers.start <= at) & (at < offers.end)].unique())


def _received(events: pd.DataFrame, at: np.datetime64, train: Train, running: np.ndarray) -> sparse.csr_array:
    """Stored where the customer was sent the offer before the cutoff; shape (U, O)."""
    sent = events[(events.event_type == "sent") & (events.timestamp < at)]
    user, offer = train.users.encode(sent.user_id), pd.Index(running).get_indexer(pd.Index(sent.offer_id))
    known = (user >= 0) & (offer >= 0)
    return _pairs(user[known], offer[known], (len(train.users), len(running)))


def _frame(tables: "Tables", name: str) -> pd.DataFrame:
    found = tables.named().get(name)
    if found is None:
        raise DataError(f"{tables.card.title} has no table {name}; take OffersInForce out of the policy")
    return found.to_pandas()


def _pairs(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.coo_array((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape).tocsr()
