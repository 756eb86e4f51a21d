"""From which store a visit goes to, to whether a customer visits the store within a horizon."""

from typing import Protocol

import numpy as np
from scipy import sparse

from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries
from omniretail.views.stores.visits import Visits

_HALF_LIFE_DAYS = 56.0  # of visits, in a customer's rate
_PRIOR_VISITS = 1.0  # at everybody's rate, before the customer's own
_LEAST = 1e-3  # chances below are left out
_BLOCK_CELLS = 1 << 22  # customers x stores at a time


class Scorer(Protocol):
    """What a store model needs for its choices to become chances."""

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        ...


def within_horizon(model: Scorer, log: StoreLog, horizon_days: float, first_only: bool = False) -> sparse.csr_array:
    """P(a customer visits a store within the horizon), from choice probabilities and the customer's rate of visits.

    Visits are Poisson at a rate with a Gamma posterior (``visit_rates``), and each chooses its store anew, so visits to
    store s are Poisson too, and none comes with probability ``(1 + h p_s / b) ** -a``. Customers who alternate between
    few stores visit fewer of them than that, so the chances are upper bounds where habits are strong; on the simulated
    retailer, whose customers do choose anew, their sum is that of the visits that follow.

    Args:
        model: its scores without a time, divided by their sum, are the choice probabilities p.
        log: that the model was fitted on.
        horizon_days: h, from the cutoff.
        first_only: all visits go to the store with the highest score.

    Returns:
        float64, chances below .001 absent; shape (U, S).
    """
    shape, rate = visit_rates(log).T  # (U,), (U,)
    size, blocks = max(1, _BLOCK_CELLS // log.n_stores), []
    for start in range(0, log.n_users, size):
        users = np.arange(start, min(start + size, log.n_users))
        choice = model.score(_any_time(log, users), timed=False).astype(np.float64)
        if first_only:
            choice = np.eye(log.n_stores)[choice.argmax(axis=1)]
        choice /= np.maximum(choice.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        chances = -np.expm1(-shape[users, None] * np.log1p(horizon_days * choice / rate[users, None]))
        blocks.append(sparse.csr_array(np.where(chances >= _LEAST, chances, 0.0)))
    return sparse.csr_array(sparse.vstack(blocks)) if blocks else sparse.csr_array((0, log.n_stores))


def visit_rates(log: StoreLog) -> np.ndarray:
    """Gamma posterior of each customer's store visits a day, old visits and old days counting less.

    Repeat visits over the time since the first, with a prior of one visit at the mean rate of all customers; customers
    without a visit had the whole log to come.

    Returns:
        Shape and rate of the Gamma distribution (rate in days); shape (U, 2).
    """
    decay = np.log(2) / _HALF_LIFE_DAYS
    age = (log.at - log.visits.timestamp) / DAY
    longest = np.zeros(log.n_users)
    np.maximum.at(longest, log.visits.row, age)
    came = np.bincount(log.visits.row, minlength=log.n_users) > 0
    since = np.where(came, longest, age.max(initial=1.0))
    repeat = np.append(False, log.visits.row[1:] == log.visits.row[:-1])[: len(age)]
    visits = np.bincount(log.visits.row, np.exp(-decay * age) * repeat, log.n_users)
    days = -np.expm1(-decay * since) / decay
    mean = (visits.sum() + _PRIOR_VISITS) / (days.sum() + 1)
    return np.stack([_PRIOR_VISITS + visits, _PRIOR_VISITS / mean + days], axis=1)


def _any_time(log: StoreLog, users: np.ndarray) -> VisitQueries:
    """A query without a time for each of the log's customers."""
    ids = users if log.users is None else log.users.ids.to_numpy()[users]
    return VisitQueries(Visits(users, np.full(len(users), -1), np.full(len(users), log.at)), ids)
