"""Offers under budgets at size: seconds, and what greedy, the auction and the exact best are worth, on drawn chances.

python benchmarks/budgets.py --users 200000
"""

import argparse
import time

N_NEAR = 12


def main() -> None:
    """Draw, allocate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--places", type=int, default=400)
    parser.add_argument("--share", type=float, default=0.5, help="offers of all places together, per user")
    parser.add_argument("--exact", action="store_true", help="solve the linear programme too")
    arguments = parser.parse_args()

    import numpy as np
    from scipy import sparse

    from omniretail.o2o.allocation.auction import auction
    from omniretail.o2o.allocation.solvers import greedy, optimal

    rng = np.random.default_rng(0)
    n, m = arguments.users, arguments.places
    popular = np.cumsum(rng.dirichlet(np.full(m, 0.5)))
    place = np.minimum(np.searchsorted(popular, rng.random((n, N_NEAR))), m - 1)
    chances = rng.dirichlet(np.full(N_NEAR, 0.4), n)
    row = np.repeat(np.arange(n), N_NEAR)
    table = sparse.csr_array((chances.reshape(-1), (row, place.reshape(-1))), shape=(n, m))
    budget = np.full(m, max(1, int(n * arguments.share / m)))
    print(f"{n:,} users, {m:,} places with {budget[0]:,} offers each, {table.nnz:,} pairs")
    for method in (greedy, auction, *([optimal] if arguments.exact else [])):
        start = time.perf_counter()
        found = method(table, budget)
        seconds = time.perf_counter() - start
        proven = "" if np.isnan(found.bound) else f", at most {found.gap:.4%} missing"
        print(f"{method.__name__:8} {seconds:8.2f} s  worth {found.value:12,.1f}{proven}")


if __name__ == "__main__":
    main()
