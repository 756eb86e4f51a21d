"""What it takes to fit customer lifetime value to a million customers, and to foretell all of them."""

import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from omniretail.models.lifetime import BGNBD, GammaGamma, lifetime_value
from omniretail.models.lifetime.simulation import simulated

_WEEKS, _SEED = 52, 1
T = TypeVar("T")


def lifetime(n_customers: int = 1_000_000) -> None:
    """Simulate a year of customers like CDNOW's, in whole days, and print the seconds of each step."""
    rng = np.random.default_rng(_SEED)
    truth = BGNBD.of(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258), GammaGamma.of(p=6.25, q=3.74, v=15.44)
    age = rng.integers(1, _WEEKS * 7, n_customers) / 7
    customers = simulated(*truth, age=age, rng=rng)
    customers["recency"] = np.minimum(np.ceil(customers["recency"] * 7) / 7, age)
    customers["mean_value"] = customers["mean_value"].round(2)
    buying, fit_s = _timed(lambda: BGNBD().fit(customers))
    spending, value_fit_s = _timed(lambda: GammaGamma().fit(customers))
    _, foretell_s = _timed(lambda: lifetime_value(buying, spending, customers, horizon=_WEEKS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{n_customers:,} customers: BG/NBD fit {fit_s:.1f} s, Gamma-Gamma fit {value_fit_s:.1f} s, "
        f"lifetime value of a year {foretell_s:.1f} s, peak {peak:,.0f} MiB"
    )
    for model, true in zip((buying, spending), truth, strict=True):
        pairs = (f"{name} {value:.4f} ({true.parameters_[name]:g})" for name, value in model.parameters_.items())
        print(f"fitted (simulated with): {', '.join(pairs)}")


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
