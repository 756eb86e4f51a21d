"""What every uplift learner has. There is nothing to inherit: a class with these methods is a learner."""

from typing import Protocol, Self

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError


class UpliftModel(Protocol):
    """Predicts by how much the treatment raises a customer's probability to act.

    Models are dataclasses of their hyper-parameters; what is learned is in attributes that end in an underscore.
    """

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """Learn from an experiment with a random control group.

        Args:
            x: features known before the treatment, NaN where missing, with the index (``user_id``, ``offer_id``);
                shape (N, D).
            treated: True where treated; shape (N,).
            y: 1 where the customer acted, else 0; shape (N,).

        Raises:
            SettingsError: where everybody was treated, or nobody.
        """
        ...

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """P(acts | treated) minus P(acts | not treated), or a score that ranks like it; shape (N,).

        Args:
            x: the columns of ``fit`` in their order, with the same index levels; shape (N, D).
        """
        ...


def both_groups(treated: np.ndarray) -> np.ndarray:
    """The mask of the treated, checked.

    Raises:
        SettingsError: where everybody was treated, or nobody.
    """
    mask = np.asarray(treated, dtype=bool)
    if mask.all() or not mask.any():
        who = "everybody" if len(mask) and mask.all() else "nobody"
        raise SettingsError(f"{who} was treated: an effect can be learned only beside a control group")
    return mask
