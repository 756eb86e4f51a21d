"""Both models fitted to the past of a shop's customers, and held against what came after."""

import logging
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.fitting import NotConvergedError
from omniretail.models.lifetime.gamma_gamma import GammaGamma
from omniretail.models.lifetime.holdout import holdout_report, naive_rates
from omniretail.models.lifetime.value import lifetime_value

log = logging.getLogger(__name__)
Model = TypeVar("Model", BGNBD, GammaGamma)

FALLBACK_PENALTIES = (1e-3, 0.1)
"""Tried in turn where plain maximum likelihood has no peak: hardly felt, and enough where all are alike."""


@dataclass(frozen=True)
class Examined:
    """What came of it.

    Attributes:
        buying: fitted.
        spending: fitted; None where the shop's log tells no values.
        forecasts: a row per customer: ``user_id``, ``p_alive``, ``purchases`` and, where known, ``value`` within the
            horizon.
        report: of ``holdout_report``.
    """

    buying: BGNBD
    spending: GammaGamma | None
    forecasts: pd.DataFrame
    report: pd.DataFrame


def examine(customers: pd.DataFrame, bought: pd.DataFrame, horizon: float, penalty: float | None = None) -> Examined:
    """Fit, foretell and judge.

    Args:
        customers: of ``views.recency_frequency``.
        bought: of ``views.purchases`` in the holdout window; customers who did not come may be absent, newcomers are
            not judged.
        horizon: length of that window, in the unit of time of the customers' age.
        penalty: of both models; None: 0, or of ``FALLBACK_PENALTIES`` where that has no peak.

    Raises:
        NotConvergedError: where the customers do not determine the parameters.
        ValueError: where nobody bought a second time, or values have no mean.
    """
    buying = _fitted(BGNBD, customers, penalty)
    foretold = {"purchases": buying.expected_purchases(customers, horizon=horizon)}
    models, spending = {"purchases": "BG/NBD"}, None
    if customers["mean_value"].notna().to_numpy().any():
        spending = _fitted(GammaGamma, customers, penalty)
        foretold["value"] = lifetime_value(buying, spending, customers, horizon=horizon)
        models["value"] = "BG/NBD and Gamma-Gamma"
    naive = naive_rates(customers, horizon)
    actual = customers[["user_id"]].merge(bought, on="user_id", how="left").fillna({"purchases": 0.0, "value": 0.0})
    report = holdout_report({what: {models[what]: foretold[what], **naive[what]} for what in foretold}, actual)
    forecasts = pd.DataFrame({"user_id": customers["user_id"], "p_alive": buying.p_alive(customers), **foretold})
    return Examined(buying, spending, forecasts, report)


def _fitted(model: type[Model], customers: pd.DataFrame, penalty: float | None) -> Model:
    if penalty is not None:
        return model(penalty).fit(customers)
    *tried, last = (0.0, *FALLBACK_PENALTIES)
    for each in tried:
        try:
            return model(each).fit(customers)
        except NotConvergedError as error:
            log.warning("%s with a penalty of %g: %s; a larger one is tried", model.__name__, each, error)
    return model(last).fit(customers)
