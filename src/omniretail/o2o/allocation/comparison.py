"""Solvers beside each other on one model's predictions, over kinds and sizes of budgets, judged by who came."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.metrics.allocation import budget_metrics
from omniretail.metrics.significance import paired_test
from omniretail.o2o.allocation.auction import auction
from omniretail.o2o.allocation.budgets import Kind, budgets_of
from omniretail.o2o.allocation.solvers import Assignment, aimed_at_f1, greedy, optimal

METHODS: Mapping[str, Callable[..., Assignment]] = {"greedy": greedy, "auction": auction, "exact": optimal}


@dataclass(frozen=True)
class Case:
    """One problem.

    Attributes:
        kind: of the budgets.
        k: offers per user, at most.
        aim: the sum of probabilities, or the expected F1 of ``aimed_at_f1``.
        tightness: share of the demand that budgets can serve; NaN: all of them together.
    """

    kind: Kind
    k: int
    aim: Literal["value", "f1"]
    tightness: float = np.nan


def key_of(case: Case, method: str) -> str:
    """Key of the metric ``served``, which has a value per user.

    >>> key_of(Case("equal", 2, "f1", 0.5), "greedy"), key_of(Case("equal", 1, "value"), "auction")
    ('equal/k_2/greedy_for_f1/0.5/served', 'equal/k_1/auction/served')
    """
    name = method if case.aim == "value" else f"{method}_for_f1"
    size = "" if np.isnan(case.tightness) else f"{case.tightness:g}/"
    return f"{case.kind}/k_{case.k}/{name}/{size}served"


def compared(
    probability: sparse.csr_array,
    went: np.ndarray,
    past_visitors: np.ndarray,
    cases: Sequence[Case],
    methods: Sequence[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Solve every case by every method.

    Args:
        probability: that the user acts at the place, predicted before the window; shape (N, M).
        went: True where the user acts at the place in the window; shape (N, M).
        past_visitors: of each place in the window before; shape (M,).
        cases: problems; those that differ in their tightness alone are also taken together.
        methods: names in ``METHODS``; the first is the one that the others are tested against.

    Returns:
        A table ``kind, k, aim, tightness, method, offers, expected, gap, served, precision, recall, f1, p`` and the
        served offers of each user, by ``key_of``; shape (N, keys). ``expected`` is the sum of the chosen
        probabilities, ``gap`` the share missing at most. Rows without ``tightness`` are sums of ``served`` over it,
        with the ``p`` of a paired t-test over users against the first method; their served offers per user are means.
    """
    solved = pd.DataFrame([_solved(probability, went, past_visitors, case, name) for case in cases for name in methods])
    hits = solved.pop("hits").set_axis([key_of(case, name) for case in cases for name in methods])
    together = list(dict.fromkeys(Case(case.kind, case.k, case.aim) for case in cases))
    means = {key_of(case, name): _mean(case, name, cases, hits) for case in together for name in methods}
    per_user = pd.DataFrame({**means, **hits.to_dict()})
    sums = [_sum(case, name, solved, per_user, methods[0]) for case in together for name in methods]
    return pd.concat([solved, pd.DataFrame(sums)], ignore_index=True), per_user


def assignment(
    probability: sparse.csr_array, past_visitors: np.ndarray, case: Case, method: str
) -> tuple[Assignment, np.ndarray]:
    """One problem solved by one method, and the budget of each place; arguments as for ``compared``."""
    budget = budgets_of(case.kind, case.tightness, probability, past_visitors)
    if case.aim == "value":
        return METHODS[method](probability, budget, case.k), budget
    return aimed_at_f1(METHODS[method], probability, budget, case.k), budget


def _solved(
    probability: sparse.csr_array, went: np.ndarray, past_visitors: np.ndarray, case: Case, name: str
) -> dict[str, object]:
    chosen, budget = assignment(probability, past_visitors, case, name)
    metrics = budget_metrics(chosen.matrix(), went, budget)
    return {
        **vars(case),
        "method": name,
        "offers": len(chosen.user),
        "expected": chosen.value,
        "gap": chosen.gap,
        "served": metrics.served,
        "precision": metrics.precision,
        "recall": metrics.recall,
        "f1": metrics.f1,
        "hits": np.bincount(chosen.user, went[chosen.user, chosen.place], len(went)),
    }


def _mean(case: Case, name: str, cases: Sequence[Case], hits: pd.Series) -> np.ndarray:
    alike = [key_of(each, name) for each in cases if (each.kind, each.k, each.aim) == (case.kind, case.k, case.aim)]
    return np.mean(np.stack(hits[alike].tolist()), axis=0)


def _sum(case: Case, name: str, solved: pd.DataFrame, per_user: pd.DataFrame, reference: str) -> dict[str, object]:
    alike = solved[(solved[["kind", "k", "aim", "method"]] == [case.kind, case.k, case.aim, name]).all(axis=1)]
    mine, other = (pd.Series(per_user[key_of(case, each)]) for each in (name, reference))
    p = np.nan if name == reference else paired_test(mine, other)
    return {**vars(case), "method": name, "served": alike.served.sum(), "p": p}
