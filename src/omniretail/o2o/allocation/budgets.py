"""How many offers each store can give: budgets for a share of the demand."""

from typing import Any, Literal, get_args

import numpy as np
from scipy import sparse

from omniretail.core.errors import SettingsError

Kind = Literal["past_demand", "expected_demand", "equal"]


def budgets_of(kind: Kind, tightness: float, probability: sparse.csr_array, past_visitors: np.ndarray) -> np.ndarray:
    """Offers that each place can give; whole numbers, shape (M,).

    Args:
        kind: ``past_demand``, a share of the users who came in the window before; ``expected_demand``, a share of the
            users expected by the model, so that budgets differ between models; ``equal``, the same share of N / M
            everywhere.
        tightness: that share; budgets are rounded up.
        probability: that the user acts at the place; shape (N, M).
        past_visitors: of each place; shape (M,).

    Raises:
        SettingsError: where the share is not above 0, or the kind is none of these.
    """
    if not tightness > 0:
        raise SettingsError(
            f"task.tightness={tightness} must be above 0: it is the share of the demand that can be served"
        )
    if kind == "past_demand":
        return np.ceil(tightness * past_visitors)
    if kind == "expected_demand":
        return np.ceil(tightness * np.asarray(probability.sum(axis=0)))
    if kind == "equal":
        shape: Any = probability.shape
        return np.full(shape[1], np.ceil(tightness * shape[0] / shape[1]))
    raise SettingsError(f"task.kinds: {kind!r} is not one of {', '.join(get_args(Kind))}")
