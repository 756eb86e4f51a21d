"""From which store a visit goes to, to whether a customer visits the store within a horizon."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import hyp2f1

from omniretail.core.errors import DataError
from omniretail.models.stores.protocol import StoreModel
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries
from omniretail.views.stores.visits import Visits

_HALF_LIFE_DAYS = 56.0  # of visits, in a customer's rate
_PRIOR_VISITS = 1.0  # at everybody's rate, before the customer's own
_LEAST = 1e-3  # chances below are left out
_BLOCK_CELLS = 1 << 22  # customers x stores at a time
_CONCENTRATIONS = (0.03, 300.0)  # at the upper end each visit chooses anew
_SAMPLE = 2000  # customers to learn the concentration from


def within_horizon(
    model: StoreModel, log: StoreLog, horizon_days: float, first_only: bool = False, concentration: float = np.inf
) -> sparse.csr_array:
    """P(a customer visits a store within the horizon), from choice probabilities and the customer's rate of visits.

    Visits are Poisson at a rate with a Gamma posterior (``visit_rates``). If each of them chose its store anew, the
    chances would be upper bounds, since customers with habits alternate between few stores: so the shares of a
    customer's visits within the horizon are drawn from a Dirichlet distribution around the choice probabilities.

    Args:
        model: its scores without a time, divided by their sum, are the choice probabilities.
        log: that the model was fitted on.
        horizon_days: from the cutoff.
        first_only: all visits go to the store with the highest score.
        concentration: of the Dirichlet distribution, see ``habit_concentration``; infinite: each visit chooses anew.

    Returns:
        float64, chances below .001 absent; shape (U, S).
    """
    rates, size, blocks = visit_rates(log), max(1, _BLOCK_CELLS // log.n_stores), []
    for start in range(0, log.n_users, size):
        users = np.arange(start, min(start + size, log.n_users))
        choice = _choice(model, log, users)
        if first_only:
            choice = np.eye(log.n_stores)[choice.argmax(axis=1)]
        blocks.append(sparse.csr_array(visit_chances(choice, rates[users], horizon_days, concentration)))
    return sparse.csr_array(sparse.vstack(blocks)) if blocks else sparse.csr_array((0, log.n_stores))


def visit_chances(choice: np.ndarray, rates: np.ndarray, horizon_days: float, concentration: float) -> np.ndarray:
    """P(at least one of a customer's visits goes to the store).

    A visit goes to the store with a probability drawn, once for the horizon, from Beta(c p, c (1 - p)), and the number
    of visits is Gamma-Poisson, so none goes there with probability 2F1(a, c p; c; -h / b); as c grows, with
    (1 + h p / b) ** -a, which is never larger.

    Args:
        choice: p, rows sum to one; shape (B, S).
        rates: a and b of each customer, see ``visit_rates``; shape (B, 2).
        horizon_days: h.
        concentration: c.

    Returns:
        0 where below .001; shape (B, S).
    """
    shape, ratio = rates[:, :1], horizon_days / rates[:, 1:]  # (B, 1)
    chances = -np.expm1(-shape * np.log1p(ratio * choice))
    chances[chances < _LEAST] = 0.0
    if np.isinf(concentration):
        return chances
    row, store = np.nonzero(chances)
    a, x = shape[row, 0], ratio[row, 0]
    # Pfaff's transformation: all terms of the series are positive
    none = (1 + x) ** -a * hyp2f1(a, concentration * (1 - choice[row, store]), concentration, x / (1 + x))
    chances[row, store] = np.where(1 - none >= _LEAST, 1 - none, 0.0)
    return chances


def habit_concentration(model: StoreModel, log: StoreLog, horizon_days: float) -> float:
    """How close customers stay to their choice probabilities within a horizon: the maximum of a likelihood.

    The likelihood is that of who visited which store in the window before the cutoff, by the model fitted once more as
    of the start of that window.

    Args:
        model: of the same settings; it is copied.
        log: that ends at the cutoff.
        horizon_days: length of the window.

    Returns:
        Between .03 and 300; infinite where the log is too short.
    """
    past, visits = next(log.windows(horizon_days, 1, horizon_days), (None, None))
    if past is None or visits is None:
        return np.inf
    try:
        earlier = copy.deepcopy(model).fit(past)
    except DataError:  # no window before that one to learn from
        return np.inf
    users = np.random.default_rng(0).permutation(past.n_users)[:_SAMPLE]
    went = np.zeros((past.n_users, past.n_stores), dtype=bool)
    went[visits.visits.row, visits.visits.store] = True
    choice, rates = _choice(earlier, past, users), visit_rates(past)[users]

    def loss(log_concentration: float) -> float:
        chances = visit_chances(choice, rates, horizon_days, np.exp(log_concentration))
        right = np.where(went[users], chances, 1 - chances)
        return -float(np.log(np.maximum(right, 1e-6)).sum())

    best: Any = minimize_scalar(loss, bounds=np.log(_CONCENTRATIONS), options={"xatol": 0.05})
    return float(np.exp(best.x))


def _choice(model: StoreModel, log: StoreLog, users: np.ndarray) -> np.ndarray:
    """Probabilities of the stores that a visit at an unknown time goes to; float64, shape (B, S)."""
    choice = model.score(_any_time(log, users), timed=False).astype(np.float64)
    return choice / np.maximum(choice.sum(axis=1, keepdims=True), np.finfo(float).tiny)


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
