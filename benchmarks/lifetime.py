"""Lifetime value of a million simulated customers: seconds to fit and to predict, peak memory."""

import numpy as np

from benchmarks.arguments import parser
from omniretail.core.resources import metered
from omniretail.models.lifetime import BGNBD, GammaGamma, lifetime_value
from omniretail.models.lifetime.simulation import simulated

_WEEKS, _SEED = 52, 1


def main(arguments: list[str]) -> None:
    """Simulate a year of customers like CDNOW's, in whole days, and print the seconds of each step."""
    options = parser("lifetime", __doc__)
    options.add_argument("--customers", type=int, default=1_000_000, help="simulated")
    n_customers = options.parse_args(arguments).customers
    rng = np.random.default_rng(_SEED)
    truth = BGNBD.of(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258), GammaGamma.of(p=6.25, q=3.74, v=15.44)
    age = rng.integers(1, _WEEKS * 7, n_customers) / 7
    customers = simulated(*truth, age=age, rng=rng)
    customers["recency"] = np.minimum(np.ceil(customers["recency"] * 7) / 7, age)
    customers["mean_value"] = customers["mean_value"].round(2)
    with metered() as buying_fit:
        buying = BGNBD().fit(customers)
    with metered() as spending_fit:
        spending = GammaGamma().fit(customers)
    with metered() as prediction:
        lifetime_value(buying, spending, customers, horizon=_WEEKS)
    steps = {"BG/NBD fit": buying_fit, "Gamma-Gamma fit": spending_fit, "lifetime value of a year": prediction}
    spent = ", ".join(f"{step} {cost.seconds:.1f} s" for step, cost in steps.items())
    peak = max(cost.peak_memory_mb for cost in steps.values())
    print(f"{n_customers:,} customers: {spent}, peak {peak:,.0f} MiB")
    for model, true in zip((buying, spending), truth, strict=True):
        pairs = (f"{name} {value:.4f} ({true.parameters_[name]:g})" for name, value in model.parameters_.items())
        print(f"fitted (simulated with): {', '.join(pairs)}")
