"""Allocations held against the visits to come, over a range of how tight budgets are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.metrics.allocation import budget_figures
from omniretail.metrics.significance import paired_test
from omniretail.o2o.allocation.auction import auction
from omniretail.o2o.allocation.solvers import Allocation, aimed_at_f1, greedy, optimal

TIGHTNESS = (0.1, 0.25, 0.5, 0.75, 1.0)
BY_DEMAND, EQUAL = "by demand", "equal"
VALUE, F1 = "value", "F1"
METHODS: Mapping[str, Callable[..., Allocation]] = {"greedy": greedy, "auction": auction, "exact": optimal}
EXACT_PAIRS = 100_000
"""Beyond so many pairs the exact method is left out."""


def budgets_of(chances: sparse.csr_array, kind: str, tightness: float) -> np.ndarray:
    """Offers that each place can give; whole numbers, shape (M,).

    Args:
        chances: that the user acts at the place; shape (N, M).
        kind: ``by demand``, a share of the users expected there, or ``equal``, the same share of N / M everywhere.
        tightness: that share; rounded up.

    Raises:
        ValueError: where the share is not above 0, or the kind another word.
    """
    if not tightness > 0:
        raise ValueError(f"tightness={tightness} must be above 0: it is the share of the demand that can be served")
    if kind == BY_DEMAND:
        return np.ceil(tightness * np.asarray(chances.sum(axis=0)))
    if kind == EQUAL:
        shape: Any = chances.shape
        n, m = shape
        return np.full(m, np.ceil(tightness * n / m))
    raise ValueError(f"budgets={kind!r} is not one of {BY_DEMAND}, {EQUAL}")


def examine_budgets(
    chances: sparse.csr_array,
    went: np.ndarray,
    kinds: Sequence[str] = (BY_DEMAND, EQUAL),
    ks: Sequence[int] = (1, 2),
    tightness: Sequence[float] = TIGHTNESS,
) -> pd.DataFrame:
    """Allocate by every method, and judge by who went where.

    Args:
        chances: as told before the window; shape (N, M).
        went: True where the user went to the place in the window; shape (N, M).
        kinds: of budgets.
        ks: offers a user gets at most.
        tightness: of budgets.

    Returns:
        ``budgets, k, aim, tightness, method, offers, expected, gap, served, precision, recall, f1, p``: ``expected`` is
        the sum of chances chosen, ``gap`` the share of it that is proven not to be missing more. Rows without
        ``tightness`` sum ``served`` over them; their ``p`` tells how likely luck alone sets a method and greedy so far
        apart (paired t-test over users).
    """
    methods = {name: each for name, each in METHODS.items() if name != "exact" or chances.nnz <= EXACT_PAIRS}
    return pd.concat(
        [
            _compared(chances, went, kind, k, aim, tightness, methods)
            for kind in kinds
            for k in ks
            for aim in (VALUE, F1)
        ],
        ignore_index=True,
    )


def _compared(
    chances: sparse.csr_array,
    went: np.ndarray,
    kind: str,
    k: int,
    aim: str,
    tightness: Sequence[float],
    methods: Mapping[str, Callable[..., Allocation]],
) -> pd.DataFrame:
    rows, hits = [], {name: np.zeros(len(went)) for name in methods}
    for share in tightness:
        budget = budgets_of(chances, kind, share)
        for name, found in _allocated(chances, budget, k, aim, methods):
            hits[name] += np.bincount(found.user, went[found.user, found.place], len(went))
            rows.append({"tightness": share, "method": name, **_figures(found, went, budget)})
    for name, each in hits.items():
        p = np.nan if name == "greedy" else paired_test(pd.Series(each), pd.Series(hits["greedy"]))
        rows.append({"tightness": np.nan, "method": name, "served": each.sum(), "p": p})
    table = pd.DataFrame(rows)
    for place, (name, value) in enumerate({"budgets": kind, "k": k, "aim": aim}.items()):
        table.insert(place, name, value)
    return table


def _allocated(
    chances: sparse.csr_array, budget: np.ndarray, k: int, aim: str, methods: Mapping[str, Callable[..., Allocation]]
) -> Iterator[tuple[str, Allocation]]:
    for name, method in methods.items():
        yield name, aimed_at_f1(method, chances, budget, k) if aim == F1 else method(chances, budget, k)


def _figures(found: Allocation, went: np.ndarray, budget: np.ndarray) -> dict[str, float]:
    judged = budget_figures(found.matrix(), went, budget)
    return {
        "offers": len(found.user),
        "expected": found.value,
        "gap": found.gap,
        "served": judged.served,
        "precision": judged.precision,
        "recall": judged.recall,
        "f1": judged.f1,
    }
