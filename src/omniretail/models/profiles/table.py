"""ProfileTable: the readable features of a customer, scaled so that a linear model can use them."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.profiles.feature_scaling import scaled
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.profile.dictionary import FIXED, KINDS, Feature, by_attribute
from omniretail.views.profile.from_histories import profile_frames
from omniretail.views.train import Train

_CLIP = 5.0
_LEVELS = ("department", "category", "brand")


class ProfileTable:
    """What marketers count (recency, frequency, money, habits, categories), as numbers of like size.

    ``table`` gives the features as people read them, ``embed`` as models want them: standardised, nought where a
    customer's log cannot say.

    Args:
        levels: columns of the item table whose words become features; those it lacks are passed over. Each item also
            has a ``price_band``: the third of its kind in which its mean price lies.
        max_words: of one level, those with the most customers.
        rich_words: levels with at most so many words also get ``lines_91`` and ``days_since`` for each.
    """

    def __init__(self, levels: Sequence[str] = _LEVELS, max_words: int = 250, rich_words: int = 40) -> None:
        self.levels = list(levels)
        self.max_words = max_words
        self.rich_words = rich_words

    def fit(self, train: Train) -> Self:
        """See ``ProfileEncoder``.

        Raises:
            ValueError: where the data holds an order only: without dates there is no profile.
        """
        if not train.zone:
            raise ValueError("a profile needs dates, and this data holds an order only; choose a source with a clock")
        self.zone_ = np.array(train.zone)
        words = item_attributes(train, self.levels)
        self.level_names_, self.words_, self.word_level_, self.item_word_ = words
        fixed, said = profile_frames(train.histories, train.at, train.zone, self.item_word_)
        self.column_kind_, self.column_word_ = self._worth_a_column(said)
        numbers = self._scaled(self._wide(fixed, said))
        known = np.isfinite(numbers)
        count = np.maximum(known.sum(0), 1)
        self.means_ = np.where(known, numbers, 0.0).sum(0) / count
        spread = np.sqrt(np.where(known, (numbers - self.means_) ** 2, 0.0).sum(0) / count)
        self.scales_ = np.where(spread > 1e-9, spread, 1.0)
        return self

    def embed(self, users: Histories, at: int | np.ndarray) -> np.ndarray:
        """See ``ProfileEncoder``."""
        standardised = (self._scaled(self.table(users, at)) - self.means_) / self.scales_
        return np.nan_to_num(np.clip(standardised, -_CLIP, _CLIP)).astype(np.float32)

    def table(self, users: Histories, at: int | np.ndarray) -> pd.DataFrame:
        """The features as people read them; a row per customer, NaN where their log cannot say; shape (B, F)."""
        return self._wide(*profile_frames(users, at, str(self.zone_), self.item_word_))

    def features(self) -> list[Feature]:
        """The dictionary of ``table``'s columns, in their order."""
        kinds = list(KINDS)
        return [
            *FIXED,
            *(
                by_attribute(kinds[kind], str(self.level_names_[self.word_level_[word]]), str(self.words_[word]))
                for kind, word in zip(self.column_kind_, self.column_word_, strict=True)
            ),
        ]

    def _worth_a_column(self, said: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Kind and word of each column beyond the fixed ones."""
        customers = np.bincount(said.attribute_value, minlength=len(self.words_))
        columns = []
        for level in range(len(self.level_names_)):
            words = np.flatnonzero((self.word_level_ == level) & (customers > 0))
            kept = np.sort(words[np.argsort(-customers[words], kind="stable")[: self.max_words]])
            kinds = range(len(KINDS)) if len(words) <= self.rich_words else [0]
            columns += [(kind, word) for kind in kinds for word in kept]
        kind, word = np.array(columns, dtype=np.int32).reshape(-1, 2).T
        return kind.copy(), word.copy()

    def _wide(self, fixed: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
        frames = [fixed]
        for number, kind in enumerate(KINDS):
            words = self.column_word_[self.column_kind_ == number]
            place = np.full(len(self.words_), -1)
            place[words] = np.arange(len(words))
            column = place[said.attribute_value]
            values = np.full((len(fixed), len(words)), np.nan if kind == "days_since" else 0.0)
            values[said.user_id[column >= 0], column[column >= 0]] = said[kind][column >= 0]
            if kind == "share":
                values[fixed.visits.isna()] = np.nan  # who bought nothing has no shares
            frames.append(pd.DataFrame(values))
        by_kind = pd.concat(frames, axis=1)
        order = np.argsort(self.column_kind_, kind="stable")
        by_kind.columns = pd.RangeIndex(by_kind.shape[1])
        places = np.concatenate([np.arange(len(FIXED)), len(FIXED) + np.argsort(order)])
        return by_kind.iloc[:, places].set_axis([feature.name for feature in self.features()], axis=1)

    def _scaled(self, table: pd.DataFrame) -> np.ndarray:
        return scaled(table, self.features())
