"""Customers of two kinds, far from each other, at two cutoffs."""

import numpy as np
import pandas as pd

from omniretail.profile.segments.over_time import EmbeddedCustomers

KINDS = np.repeat([0, 1], [60, 40])


def customers(kinds: np.ndarray = KINDS, ids: np.ndarray | None = None, seed: int = 0) -> EmbeddedCustomers:
    """The second kind spends more."""
    rng = np.random.default_rng(seed)
    points = 10 * np.eye(4)[kinds] + rng.normal(size=(len(kinds), 4))
    table = pd.DataFrame({"spend": 100.0 * kinds + rng.normal(size=len(kinds)), "tenure": rng.normal(size=len(kinds))})
    return EmbeddedCustomers(np.arange(len(kinds)) if ids is None else ids, points, table)
