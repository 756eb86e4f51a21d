"""Customer lifetime value: how often a customer will buy, for how much, and whether they are still active."""

from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.bg_nbd_gamma_gamma import BGNBDGammaGamma
from omniretail.models.lifetime.fitting import NotConvergedError
from omniretail.models.lifetime.gamma_gamma import GammaGamma
from omniretail.models.lifetime.holdout import holdout_errors
from omniretail.models.lifetime.naive_rates import MeanRate, OwnRate
from omniretail.models.lifetime.protocol import LifetimeModel
from omniretail.models.lifetime.value import lifetime_value

__all__ = [
    "BGNBD",
    "BGNBDGammaGamma",
    "GammaGamma",
    "LifetimeModel",
    "MeanRate",
    "NotConvergedError",
    "OwnRate",
    "holdout_errors",
    "lifetime_value",
]
