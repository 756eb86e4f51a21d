"""Customer lifetime value: how often somebody will buy, for how much, and whether they are still there."""

from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.fitting import NotConvergedError
from omniretail.models.lifetime.gamma_gamma import GammaGamma
from omniretail.models.lifetime.holdout import holdout_report, naive_rates
from omniretail.models.lifetime.value import lifetime_value

__all__ = ["BGNBD", "GammaGamma", "NotConvergedError", "holdout_report", "lifetime_value", "naive_rates"]
