"""A random experiment with a known effect."""

import numpy as np
import pandas as pd

Trial = tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]


def trial(n: int = 20_000, share: float = 0.5, seed: int = 0) -> Trial:
    """One feature decides the effect, the other who buys anyway.

    Returns:
        Features by customer and offer, who was treated, who acted, and the effect on each.
    """
    rng = np.random.default_rng(seed)
    values = rng.random((n, 2))
    treated = rng.random(n) < share
    effect = 0.4 * (values[:, 0] - 0.25)
    acted = (rng.random(n) < 0.2 + 0.4 * values[:, 1] + effect * treated).astype(int)
    index = pd.MultiIndex.from_arrays([np.arange(1, n + 1), np.full(n, 1)], names=["user_id", "offer_id"])
    return pd.DataFrame(values, columns=["persuadable", "sure"], index=index), treated, acted, effect
