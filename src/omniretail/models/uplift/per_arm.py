"""PerArm: a learner for each of several treatments, beside the same controls."""

import copy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.models.uplift.dr_learner import DRLearner
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class PerArm:
    """Effects of several treatments, each learned from its customers and those without any.

    With one treatment it is the learner itself.

    Args:
        learner: any uplift learner of one treatment.
        min_customers: of each arm, and without any; fewer are refused.
    """

    learner: Any = field(default_factory=DRLearner)
    min_customers: int = 50

    def __post_init__(self) -> None:
        at_least(self, "min_customers", low=1)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """Learn from an experiment with a random control group.

        Args:
            x: see ``UpliftModel``; shape (N, D).
            treated: the arm of each row, 1 to K, or 0 without treatment; truth values where there is one; shape (N,).
            y: 1 where the customer acted, else 0; shape (N,).

        Raises:
            SettingsError: where there are no controls, no treated, or too few rows of an arm.
        """
        both_groups(np.asarray(treated) > 0)
        arm = np.asarray(treated).astype(np.int64)
        n_rows = np.bincount(arm)
        for number in np.flatnonzero(n_rows < self.min_customers):
            who = f"arm {number} has" if number else "the control group has"
            raise SettingsError(
                f"{who} {n_rows[number]} customers, and an effect takes {self.min_customers}: leave the arm out, or "
                f"set model.min_customers={max(int(n_rows[number]), 1)}"
            )
        self.parts_ = {str(number): self._fitted(x, arm, y, number) for number in range(1, len(n_rows))}
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """The effect of each arm on the probability to act; shape (N, K), or (N,) where there is one arm."""
        effects = np.column_stack([self.parts_[str(arm)].predict(x) for arm in range(1, len(self.parts_) + 1)])
        return effects if effects.shape[1] > 1 else effects[:, 0]

    def _fitted(self, x: pd.DataFrame, arm: np.ndarray, y: np.ndarray, number: int) -> Any:
        rows = (arm == 0) | (arm == number)
        return copy.deepcopy(self.learner).fit(x[rows], arm[rows] == number, y[rows])
