"""The population: all customers, with whom a card or a portrait compares."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.ids import Vocabulary
from omniretail.profile.tags.rules import nearest
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.views.profile.dictionary import Feature
from omniretail.views.train import Train


@dataclass(frozen=True)
class Population:
    """All training customers at the cutoff.

    Attributes:
        train: their histories and the items' names.
        table: their profile table; shape (U, F).
        features: its dictionary.
        learned: the tags.
        currency: of amounts; empty where the source has none.
    """

    train: Train
    table: pd.DataFrame
    features: list[Feature]
    learned: LearnedTags
    currency: str = ""

    @cached_property
    def tagged(self) -> pd.DataFrame:
        """Which customers have which tag; bool, shape (U, T)."""
        return self.learned.apply(self.table)

    @cached_property
    def dictionary(self) -> dict[str, Feature]:
        """The features by name."""
        return {feature.name: feature for feature in self.features}

    def row_of(self, customer: object) -> int:
        """The row of a customer, by raw id or its text.

        Raises:
            SettingsError: where there is no such customer; the nearest ids are named.
        """
        return _place(self.train.users, str(customer))

    def values(self, feature: str) -> np.ndarray:
        """A column of the table, NaN for all where it has none; float, shape (U,)."""
        if feature not in self.table:
            return np.full(len(self.table), np.nan)
        return self.table[feature].to_numpy(dtype=float)


def percentile(values: np.ndarray, value: float) -> float:
    """Rank of a value among all, 0 the lowest and 1 the highest; equal values count half.

    >>> percentile(np.array([1.0, 2.0, 2.0, np.nan]), 2.0)
    0.6666666666666666
    """
    finite = values[np.isfinite(values)]
    if not np.isfinite(value) or not len(finite):
        return float("nan")
    return float((finite < value).mean() + (finite == value).mean() / 2)


def _place(users: Vocabulary, customer: str) -> int:
    names = pd.Index(users.ids.astype(str))
    place = int(names.get_indexer([customer])[0]) if names.is_unique else -1
    if place < 0:
        near = nearest(customer, names) or f"; ids look like {', '.join(names[:3])}"
        raise SettingsError(
            f"there is no customer {customer} among the {len(names):,} with events before the cutoff{near}"
        )
    return place
