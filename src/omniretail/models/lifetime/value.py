"""Lifetime value: expected purchases times their expected value."""

import numpy as np
import pandas as pd

from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.gamma_gamma import GammaGamma


def lifetime_value(
    buying: BGNBD,
    spending: GammaGamma,
    customers: pd.DataFrame,
    horizon: float,
    discount: float = 0.0,
    margin: float = 1.0,
) -> np.ndarray:
    """Value of each customer's purchases within the horizon, at today's prices.

    Expected purchases times expected value, as Fader, Hardie and Lee do ("RFM and CLV: using iso-value curves for
    customer base analysis", Journal of Marketing Research 2005); a purchase is discounted to the end of its unit of
    time.

    Args:
        buying: fitted.
        spending: fitted.
        customers: the columns of ``views.recency_frequency``.
        horizon: from the cutoff, in the unit of time of the customers' age.
        discount: rate per unit of time; 0.1 a year is 1.1 ** (7 / 365) - 1 a week.
        margin: share of the value that is earned.

    Returns:
        Currency, shape (N,).
    """
    ends = np.append(np.arange(1.0, horizon), horizon) if discount else np.array([horizon])
    until = np.stack([buying.expected_purchases(customers, horizon=end) for end in ends])  # (S, N)
    within = np.diff(until, axis=0, prepend=0.0)
    return margin * spending.expected_value(customers) * ((1 + discount) ** -ends @ within)
