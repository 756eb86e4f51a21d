"""Two rates that need no model; a model that does not beat them is not needed."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.lifetime.customers import buying, spending


@dataclass(eq=False)
class OwnRate:
    """Every customer goes on at their own rate x / T and their own mean value.

    A customer who arrived at the cutoff, or never came again, is predicted nothing.
    """

    @property
    def label(self) -> str:
        """For tables."""
        return "Own rate"

    @property
    def parameters_(self) -> dict[str, float]:
        """See ``LifetimeModel``; there are none."""
        return {}

    def fit(self, customers: pd.DataFrame) -> Self:
        """See ``LifetimeModel``; nothing is learned but whether values are known."""
        self.with_value_ = np.array(customers["mean_value"].notna().to_numpy().any())
        return self

    def predict(self, customers: pd.DataFrame, horizon: float) -> pd.DataFrame:
        """See ``LifetimeModel``."""
        x, _, age = buying(customers)
        purchases = horizon * np.divide(x, age, out=np.zeros_like(x), where=age > 0)
        value = {"value": purchases * spending(customers)[1]} if self.with_value_ else {}
        return pd.DataFrame({"purchases": purchases, **value}, index=customers.index)


@dataclass(eq=False)
class MeanRate:
    """Every customer is predicted the same: all repeat purchases over all time, at their mean value."""

    @property
    def label(self) -> str:
        """For tables."""
        return "Mean rate"

    @property
    def parameters_(self) -> dict[str, float]:
        """Purchases per unit of time and, where values are known, currency per purchase."""
        return dict(zip(("rate", "mean_value"), self.means_.tolist(), strict=False))

    def fit(self, customers: pd.DataFrame) -> Self:
        """See ``LifetimeModel``."""
        x, _, age = buying(customers)
        purchases, value = spending(customers)
        means = [x.sum() / max(age.sum(), np.finfo(float).tiny)]
        if customers["mean_value"].notna().to_numpy().any():
            means.append((purchases * value).sum() / max(purchases.sum(), 1.0))
        self.means_ = np.array(means)  # (1,) or (2,)
        return self

    def predict(self, customers: pd.DataFrame, horizon: float) -> pd.DataFrame:
        """See ``LifetimeModel``."""
        totals = np.cumprod([horizon * self.means_[0], *self.means_[1:]])
        return pd.DataFrame(dict(zip(("purchases", "value"), totals, strict=False)), index=customers.index)
