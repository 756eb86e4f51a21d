"""Metrics of ranked stores: one value per customer, for each question and group of customers."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries

QUESTIONS: Mapping[str, tuple[Callable[[VisitQueries], VisitQueries], bool]] = {
    "first_visit": (VisitQueries.first, False),
    "first_visit_at_known_time": (VisitQueries.first, True),
    "all_visits": (lambda queries: queries, False),
    "all_visits_at_known_time": (lambda queries: queries, True),
}
"""Which of a customer's visits are judged, and whether the model is given their time."""

GROUPS = ("no_recent_visit", "one_store", "several_stores")
"""Customers by the number of stores that they visited shortly before the cutoff."""


def per_customer(scores: np.ndarray, queries: VisitQueries) -> pd.DataFrame:
    """Metrics of each customer, means over their visits.

    Of equal scores the store with the lower number comes first. A store that sold nothing before the cutoff has rank
    infinity.

    Args:
        scores: of Q visits, higher is likelier; shape (Q, S).
        queries: the Q visits.

    Returns:
        ``accuracy`` (the first store is right), ``mrr`` (one over the right store's rank) and ``recall_at_3`` (it is
        among the first three), indexed by customer.

    Raises:
        SettingsError: where a score is not finite.
    """
    if not np.isfinite(scores).all():
        raise SettingsError("a score of a store is not finite; lower the learning rate, or look for an empty history")
    store = queries.visits.store
    own = scores[np.arange(len(store)), np.maximum(store, 0)][:, None]
    before = (scores > own) | ((scores == own) & (np.arange(scores.shape[1]) < store[:, None]))
    rank = np.where(store >= 0, before.sum(axis=1) + 1.0, np.inf)
    values = pd.DataFrame({"accuracy": rank == 1, "mrr": 1 / rank, "recall_at_3": rank <= 3}, dtype=float)
    return pd.DataFrame(values.groupby(pd.Index(queries.who, name="user_id")).mean())


def recent_stores(log: StoreLog, queries: VisitQueries, days: float) -> pd.Series:
    """The group of each customer with a query; indexed by customer."""
    recent = log.visits.keep(log.visits.timestamp >= log.at - days * DAY)
    pairs = np.unique(np.stack([recent.row, recent.store], axis=1), axis=0)
    count = np.append(np.bincount(pairs[:, 0], minlength=log.n_users), 0)  # the last of customers without a history
    first = queries.first()
    names = np.array(GROUPS)[np.minimum(count[first.visits.row], len(GROUPS) - 1)]
    return pd.Series(pd.Categorical(names, GROUPS), index=pd.Index(first.who, name="user_id"))


def by_question(values: Mapping[str, pd.DataFrame], groups: pd.Series) -> pd.DataFrame:
    """Columns ``<question>/<metric>`` of all customers, then ``<question>/<group>/<metric>``, NaN in other groups.

    Args:
        values: question -> metrics of each customer.
        groups: from ``recent_stores``.
    """
    parts = [each.add_prefix(f"{question}/") for question, each in values.items()]
    for question, each in values.items():
        of = groups.reindex(each.index)
        parts += [each.where(of == group).add_prefix(f"{question}/{group}/") for group in GROUPS if (of == group).any()]
    return pd.concat(parts, axis="columns")
