"""Which treatment each customer is sent, if any, and what such a policy is worth."""

from collections.abc import Sequence

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.o2o.allocation.auction import auction


def best_arms(
    effects: np.ndarray, margin: float, costs: Sequence[float], budgets: Sequence[int] | None = None
) -> np.ndarray:
    """The arm of the highest value, ``effect x margin - cost``, for each customer; 0 where none is above zero.

    Args:
        effects: of K arms on the probability to act; shape (N, K).
        margin: earned by an action.
        costs: of treating a customer, of each arm; K of them.
        budgets: customers that each arm can treat; K of them, None: all. The arms are then allocated by an auction.

    Returns:
        1 to K, or 0; shape (N,).

    Raises:
        SettingsError: where numbers of arms differ, or a cost is negative.

    >>> best_arms(np.array([[0.10, 0.14], [0.01, 0.30], [0.02, 0.03]]), margin=10, costs=[0.5, 1.0])
    array([1, 2, 0])
    """
    value = values_of(effects, margin, costs)
    if budgets is None:
        best = value.argmax(axis=1)
        return np.where(value.max(axis=1, initial=-np.inf) > 0, best + 1, 0)
    if len(budgets) != value.shape[1]:
        raise SettingsError(f"{value.shape[1]} arms take {value.shape[1]} budgets: got {len(budgets)}")
    chosen = auction(np.maximum(value, 0), np.asarray(budgets, dtype=np.float64))
    arm = np.zeros(len(value), dtype=np.int64)
    arm[chosen.user] = chosen.place + 1
    return arm


def values_of(effects: np.ndarray, margin: float, costs: Sequence[float]) -> np.ndarray:
    """Value of treating each customer by each arm, less than zero where it costs more than it brings; shape (N, K).

    Raises:
        SettingsError: where numbers of arms differ, or a cost is negative.
    """
    require_costs(costs)
    n_arms = effects.shape[1] if effects.ndim == 2 else 1
    if effects.ndim != 2 or n_arms != len(costs):
        raise SettingsError(f"{n_arms} arms take {n_arms} costs: got {len(costs)}; set task.costs to one of each arm")
    return effects * margin - np.asarray(costs, dtype=np.float64)


def require_costs(costs: Sequence[float]) -> None:
    """Refuse costs below zero.

    Raises:
        SettingsError: naming the costs.
    """
    if min(costs, default=0) < 0:
        raise SettingsError(f"task.costs={list(costs)}: a cost must be 0 or more, such as task.costs=[0.02,0.05]")


def policy_values(
    choice: np.ndarray, arm: np.ndarray, y: np.ndarray, propensity: np.ndarray, margin: float, costs: Sequence[float]
) -> np.ndarray:
    """What each customer contributes to a policy's value, by inverse propensity; its mean is unbiased.

    A customer who was, by chance, treated as the policy would treat them counts by one over the probability of that;
    all others count zero (Horvitz and Thompson, JASA 1952).

    Args:
        choice: the policy's arm of each customer, 0 for none; shape (N,).
        arm: as treated; shape (N,).
        y: 1 where they acted; shape (N,).
        propensity: of each arm, that of none first; shape (K + 1,).
        margin: earned by an action.
        costs: of each arm.

    Returns:
        Shape (N,).

    Raises:
        SettingsError: where an arm has propensity 0 or 1.
    """
    require_propensities(propensity)
    earned = y * margin - np.concatenate([[0.0], costs])[arm]
    return np.where(choice == arm, earned / propensity[arm], 0.0)


def require_propensities(propensity: np.ndarray) -> None:
    """Refuse arms that everybody or nobody was sent.

    Raises:
        SettingsError: naming the arm.
    """
    for number in np.flatnonzero((propensity <= 0) | (propensity >= 1)):
        what = f"arm {number}" if number else "no coupon"
        raise SettingsError(
            f"{what} has propensity {propensity[number]:g}: policies can be valued only where every arm, and none, "
            "was drawn at random for some customers; leave such an arm out"
        )
