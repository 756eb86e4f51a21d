"""Offers under budgets, on random probabilities: seconds and value of greedy, auction and the optimum."""

import numpy as np
from scipy import sparse

from benchmarks.arguments import parser, timed
from omniretail.o2o.allocation.auction import auction
from omniretail.o2o.allocation.solvers import greedy, optimal

N_NEAR = 12


def main(arguments: list[str]) -> None:
    """Draw probabilities, allocate, print."""
    options = parser("allocation", __doc__)
    options.add_argument("--users", type=int, default=20_000)
    options.add_argument("--places", type=int, default=400)
    options.add_argument("--share", type=float, default=0.5, help="offers of all places together, per user")
    options.add_argument("--exact", action="store_true", help="solve the linear program too")
    chosen = options.parse_args(arguments)
    n, m = chosen.users, chosen.places
    values, budget = _probabilities(n, m), np.full(m, max(1, int(n * chosen.share / m)))
    print(f"{n:,} users, {m:,} places with {budget[0]:,} offers each, {values.nnz:,} pairs")
    for solve in (greedy, auction, *([optimal] if chosen.exact else [])):
        assignment, spent = timed(lambda solve=solve: solve(values, budget))
        bound = "" if np.isnan(assignment.bound) else f", at most {assignment.gap:.4%} missing"
        print(f"{solve.__name__:8} {spent:8.2f} s  value {assignment.value:12,.1f}{bound}")


def _probabilities(n_users: int, n_places: int) -> sparse.csr_array:
    """That a user goes to one of the few places near, popular places more often; shape (N, M)."""
    rng = np.random.default_rng(0)
    popular = np.cumsum(rng.dirichlet(np.full(n_places, 0.5)))
    place = np.minimum(np.searchsorted(popular, rng.random((n_users, N_NEAR))), n_places - 1)
    probability = rng.dirichlet(np.full(N_NEAR, 0.4), n_users)
    row = np.repeat(np.arange(n_users), N_NEAR)
    return sparse.csr_array((probability.reshape(-1), (row, place.reshape(-1))), shape=(n_users, n_places))
