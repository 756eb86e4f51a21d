"""What every lifetime model has. There is nothing to inherit: a class with these methods is a model."""

from typing import Protocol, Self

import pandas as pd


class LifetimeModel(Protocol):
    """Predicts how often customers buy within a horizon, and for how much.

    Models are dataclasses of their hyper-parameters; what is learned is in attributes that end in an underscore.
    """

    @property
    def parameters_(self) -> dict[str, float]:
        """Fitted parameters by name, empty where a model has none."""
        ...

    def fit(self, customers: pd.DataFrame) -> Self:
        """Learn from the customers' purchases before the cutoff.

        Args:
            customers: N rows of ``views.profile.recency_frequency``: ``frequency, recency, age, mean_value``.

        Raises:
            SettingsError: where the numbers are impossible, or too few customers bought again to learn from.
        """
        ...

    def predict(self, customers: pd.DataFrame, horizon: float) -> pd.DataFrame:
        """Predict the time from the cutoff to the horizon.

        Args:
            customers: N rows as for ``fit``; a row's prediction depends on that row alone.
            horizon: in the unit of time of the customers' age, 0 or more.

        Returns:
            N rows with the index of ``customers``: ``purchases`` (expected number), where the model was fitted on
            values also ``value`` (currency), and where the model has it ``p_alive`` (probability of being active).
        """
        ...
