"""Metrics of an allocation: precision, recall and F1 that count no more hits than a place's budget."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.core.errors import SettingsError

Pairs = np.ndarray | sparse.csr_array
"""Users x places, nonzero where a pair is meant; shape (N, M)."""


@dataclass(frozen=True)
class BudgetMetrics:
    r"""The metrics of the IJCAI-16 contest on brick-and-mortar stores, from counts over M places.

    With S the users who act at a place, S* those it is recommended to, and b its budget:
    precision = sum min(\|S ∩ S*\|, b) / sum \|S*\|, recall = sum min(\|S ∩ S*\|, b) / sum min(\|S\|, b).

    Attributes:
        served: hits within the budgets, over all places.
        recommended: recommendations, over all places.
        servable: users who act, no more than its budget at each place.
    """

    served: int
    recommended: int
    servable: int

    @property
    def precision(self) -> float:
        """NaN where nothing is recommended."""
        return _ratio(self.served, self.recommended)

    @property
    def recall(self) -> float:
        """NaN where nobody acts within the budgets."""
        return _ratio(self.served, self.servable)

    @property
    def f1(self) -> float:
        """Harmonic mean of both; their numerator is one, so it is twice that over the sum of the divisors."""
        return _ratio(2 * self.served, self.recommended + self.servable)


def budget_metrics(recommended: Pairs, acted: Pairs, budget: np.ndarray) -> BudgetMetrics:
    """Compare recommendations with what users did.

    Args:
        recommended: nonzero where the place is recommended to the user; shape (N, M).
        acted: nonzero where the user acts at the place; shape (N, M).
        budget: users that each place can serve; shape (M,).

    Raises:
        SettingsError: where shapes do not fit, or a budget is negative.

    >>> recommended, acted = np.array([[1, 0], [1, 0], [0, 1]]), np.array([[1, 0], [1, 1], [1, 0]])
    >>> metrics = budget_metrics(recommended, acted, budget=np.array([1, 1]))
    >>> metrics.precision, metrics.recall, metrics.f1
    (0.3333333333333333, 0.5, 0.4)
    """
    shape: Any = recommended.shape
    if shape != acted.shape or shape[1] != len(budget):
        shapes = f"{shape} and {acted.shape} with {len(budget)} budgets"
        raise ValueError(f"recommendations and acts must be users x places with a budget each, not {shapes}")
    require_budgets(budget)
    lists, acts = (sparse.csr_array(each).astype(bool) for each in (recommended, acted))
    hits, n_acts = (np.asarray(each.sum(axis=0)) for each in (lists.multiply(acts), acts))
    return BudgetMetrics(
        served=int(np.minimum(hits, budget).sum()),
        recommended=int(lists.sum()),
        servable=int(np.minimum(n_acts, budget).sum()),
    )


def require_budgets(budget: np.ndarray) -> None:
    """Refuse budgets that are negative or NaN.

    Raises:
        SettingsError: naming the first such place.
    """
    wrong = np.flatnonzero(np.logical_not(np.asarray(budget) >= 0))
    if len(wrong):
        place = int(wrong[0])
        raise SettingsError(f"the budget of place {place} is {budget[place]}; it must be 0 (nobody) or more")


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
