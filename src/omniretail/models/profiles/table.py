"""ProfileTable: the readable features of a customer, scaled so that a linear model can use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.models.profiles.feature_scaling import scaled
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.profile.dictionary import FIXED, KINDS, Feature, by_attribute
from omniretail.views.profile.from_histories import profile_frames
from omniretail.views.train import Train

_CLIP = 5.0


@dataclass(eq=False)
class ProfileTable:
    """What marketers count (recency, frequency, money, habits, categories), as numbers of similar size.

    ``table`` has the features as people read them, ``embed`` as models want them: standardised, 0 where a customer's
    log does not tell.

    Args:
        levels: columns of the item table whose values become features; those it lacks are ignored. Each item also has a
            ``price_band``: the third of its kind in which its mean price lies.
        max_values: of one level, those with the most customers.
        max_detailed_values: levels with at most so many values have ``lines_91`` and ``days_since`` of each too.
    """

    levels: Sequence[str] = ("department", "category", "brand")
    max_values: int = 250
    max_detailed_values: int = 40

    def __post_init__(self) -> None:
        self.levels = list(self.levels)
        at_least(self, "max_values", "max_detailed_values")

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            SettingsError: where the data holds an order only, without dates.
        """
        if not train.zone:
            raise SettingsError(
                "a profile needs dates, and this data holds an order only; choose a source with a clock"
            )
        self.zone_ = np.array(train.zone)
        self.level_names_, self.values_, self.value_level_, self.item_values_ = item_attributes(train, self.levels)
        fixed, long = profile_frames(train.histories, train.at, train.zone, self.item_values_)
        self.column_kind_, self.column_value_ = self._columns(long)
        numbers = self._scaled(self._wide(fixed, long))
        finite = np.isfinite(numbers)
        count = np.maximum(finite.sum(0), 1)
        self.means_ = np.where(finite, numbers, 0.0).sum(0) / count
        spread = np.sqrt(np.where(finite, (numbers - self.means_) ** 2, 0.0).sum(0) / count)
        self.scales_ = np.where(spread > 1e-9, spread, 1.0)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``."""
        standardised = (self._scaled(self.table(users, at)) - self.means_) / self.scales_
        return np.nan_to_num(np.clip(standardised, -_CLIP, _CLIP)).astype(np.float32)

    def table(self, users: Histories, at: int | np.ndarray) -> pd.DataFrame:
        """The features as people read them; a row per customer, NaN where their log does not tell; shape (B, F)."""
        return self._wide(*profile_frames(users, at, str(self.zone_), self.item_values_))

    def features(self) -> list[Feature]:
        """The dictionary of ``table``'s columns, in their order."""
        kinds = list(KINDS)
        return [
            *FIXED,
            *(
                by_attribute(kinds[kind], str(self.level_names_[self.value_level_[value]]), str(self.values_[value]))
                for kind, value in zip(self.column_kind_, self.column_value_, strict=True)
            ),
        ]

    def _columns(self, long: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Kind and attribute value of each column beyond the fixed ones."""
        customers = np.bincount(long.attribute_value, minlength=len(self.values_))
        columns = []
        for level in range(len(self.level_names_)):
            values = np.flatnonzero((self.value_level_ == level) & (customers > 0))
            frequent = np.sort(values[np.argsort(-customers[values], kind="stable")[: self.max_values]])
            kinds = range(len(KINDS)) if len(values) <= self.max_detailed_values else [0]
            columns += [(kind, value) for kind in kinds for value in frequent]
        kind, value = np.array(columns, dtype=np.int32).reshape(-1, 2).T
        return kind.copy(), value.copy()

    def _wide(self, fixed: pd.DataFrame, long: pd.DataFrame) -> pd.DataFrame:
        """Fixed features, then those of attribute values; shape (B, F)."""
        frames = [fixed]
        for number, kind in enumerate(KINDS):
            values = self.column_value_[self.column_kind_ == number]
            place = np.full(len(self.values_), -1)
            place[values] = np.arange(len(values))
            column = place[long.attribute_value]
            block = np.full((len(fixed), len(values)), np.nan if kind == "days_since" else 0.0)
            block[long.user_id[column >= 0], column[column >= 0]] = long[kind][column >= 0]
            if kind == "share":
                block[fixed.visits.isna()] = np.nan  # without purchases there are no shares
            frames.append(pd.DataFrame(block))
        by_kind = pd.concat(frames, axis=1)
        order = np.argsort(self.column_kind_, kind="stable")
        by_kind.columns = pd.RangeIndex(by_kind.shape[1])
        places = np.concatenate([np.arange(len(FIXED)), len(FIXED) + np.argsort(order)])
        return by_kind.iloc[:, places].set_axis([feature.name for feature in self.features()], axis=1)

    def _scaled(self, table: pd.DataFrame) -> np.ndarray:
        return scaled(table, self.features())
