"""BG/NBD for the number of purchases, times Gamma-Gamma for the value of each."""

import logging
from dataclasses import dataclass
from typing import Self, TypeVar

import pandas as pd

from omniretail.core.checks import at_least
from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.fitting import NotConvergedError
from omniretail.models.lifetime.gamma_gamma import GammaGamma
from omniretail.models.lifetime.value import lifetime_value

log = logging.getLogger(__name__)
Part = TypeVar("Part", BGNBD, GammaGamma)

FALLBACK_PENALTIES = (1e-3, 0.1)
"""Tried in turn where plain maximum likelihood has no peak: a very weak one, then one strong enough for any data."""


@dataclass(eq=False)
class BGNBDGammaGamma:
    """Expected purchases times expected value, as Fader, Hardie and Lee combine them (JMR 2005).

    Where the customers' values are unknown, purchases alone are predicted.

    Attributes:
        penalty: on extreme parameters of both models, per customer; None: 0, or one of ``FALLBACK_PENALTIES`` where
            that does not converge.
    """

    penalty: float | None = None

    def __post_init__(self) -> None:
        at_least(self, "penalty")

    @property
    def label(self) -> str:
        """For tables."""
        return "BG/NBD + Gamma-Gamma"

    @property
    def parameters_(self) -> dict[str, float]:
        """By the papers' names, and the penalty of each part."""
        penalties = {f"{name}_penalty": part.penalty for name, part in self.parts_.items()}
        return {name: value for part in self.parts_.values() for name, value in part.parameters_.items()} | penalties

    def fit(self, customers: pd.DataFrame) -> Self:
        """See ``LifetimeModel``.

        Raises:
            NotConvergedError: where the customers do not determine the parameters.
            SettingsError: where nobody bought a second time.
        """
        self.parts_: dict[str, BGNBD | GammaGamma] = {"buying": self._fitted(BGNBD, customers)}
        if customers["mean_value"].notna().to_numpy().any():
            self.parts_["spending"] = self._fitted(GammaGamma, customers)
        return self

    def predict(self, customers: pd.DataFrame, horizon: float) -> pd.DataFrame:
        """See ``LifetimeModel``."""
        buying, spending = self.parts_["buying"], self.parts_.get("spending")
        assert isinstance(buying, BGNBD)
        columns = {
            "p_alive": buying.p_alive(customers),
            "purchases": buying.expected_purchases(customers, horizon=horizon),
        }
        if isinstance(spending, GammaGamma):
            columns["value"] = lifetime_value(buying, spending, customers, horizon=horizon)
        return pd.DataFrame(columns, index=customers.index)

    def _fitted(self, model: type[Part], customers: pd.DataFrame) -> Part:
        if self.penalty is not None:
            return model(self.penalty).fit(customers)
        *first, last = (0.0, *FALLBACK_PENALTIES)
        for penalty in first:
            try:
                return model(penalty).fit(customers)
            except NotConvergedError as error:
                log.warning("%s with a penalty of %g: %s; a larger one is tried", model.__name__, penalty, error)
        return model(last).fit(customers)
