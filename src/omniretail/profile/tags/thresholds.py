"""Tags with their thresholds: learned from customers at one cutoff, applied to any at another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.profile.tags.rules import Bound, Condition, Tag, nearest
from omniretail.views.profile.dictionary import FIXED, KINDS, Feature


@dataclass(frozen=True)
class LearnedTags:
    """Tags that are ready to be applied.

    Attributes:
        tags: with ``window`` filled in.
        thresholds: the value behind each quantile, by feature and quantile, in the feature's unit.
        left_out: why a tag is not among ``tags``, by its name.
    """

    tags: tuple[Tag, ...]
    thresholds: Mapping[tuple[str, float], float]
    left_out: Mapping[str, str]

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Which customers are tagged: True where all conditions hold; a missing feature fulfils none.

        Args:
            table: profile table of B customers at any cutoff; shape (B, F).

        Returns:
            A column per tag; bool, shape (B, T).
        """
        tagged = {tag.name: np.all([self._holds(each, table) for each in tag.conditions], axis=0) for tag in self.tags}
        return pd.DataFrame(tagged, index=table.index, dtype=bool)

    def threshold(self, feature: str, bound: Bound) -> float:
        """The number behind a bound, in the feature's unit."""
        return self.thresholds[feature, bound.value] if bound.is_quantile else bound.value

    def rule(self, tag: Tag) -> str:
        """The tag's conditions for people, with the learned thresholds.

        For instance ``discount_share above 0.196 (quantile 0.8) and visits above 4``.
        """
        return " and ".join(self._text(condition) for condition in tag.conditions)

    def named(self, name: str) -> Tag:
        """The tag of that name.

        Raises:
            SettingsError: naming the nearest, or why it was left out.
        """
        if name in self.left_out:
            raise SettingsError(f"the tag {name} is not available in this data: {self.left_out[name]}")
        by_name = {tag.name: tag for tag in self.tags}
        if name not in by_name:
            near = nearest(name, by_name) or f"; there are {', '.join(by_name)}"
            raise SettingsError(f"there is no tag {name}{near}")
        return by_name[name]

    def _holds(self, condition: Condition, table: pd.DataFrame) -> np.ndarray:
        values = table[condition.feature].to_numpy(dtype=float)
        holds = np.isfinite(values)
        if condition.above is not None:
            holds &= values > self.threshold(condition.feature, condition.above)
        if condition.below is not None:
            holds &= values < self.threshold(condition.feature, condition.below)
        return holds

    def _text(self, condition: Condition) -> str:
        parts = []
        for side, bound in (("above", condition.above), ("below", condition.below)):
            if bound is not None:
                value = _number(self.threshold(condition.feature, bound))
                parts.append(f"{side} {value} ({bound})" if bound.is_quantile else f"{side} {bound}")
        return f"{condition.feature} {' and '.join(parts)}"


def learn(tags: Sequence[Tag], table: pd.DataFrame, features: Sequence[Feature]) -> LearnedTags:
    """Learn the thresholds behind the quantiles.

    Args:
        tags: from ``tags_from``.
        table: profile table of the training customers; shape (B, F).
        features: the dictionary of its columns.

    Returns:
        The tags, without those whose features this data does not have.

    Raises:
        SettingsError: where a rule names a feature that no profile table has; the nearest are named.
    """
    windows = {feature.name: feature.window for feature in features}
    filled = {name for name in table if np.isfinite(table[name].to_numpy(dtype=float)).any()}
    left_out = {tag.name: reason for tag in tags if (reason := _lacking(tag, windows, filled))}
    usable = [tag for tag in tags if tag.name not in left_out]
    return LearnedTags(tuple(_with_window(tag, windows) for tag in usable), _thresholds(usable, table), left_out)


def _lacking(tag: Tag, windows: Mapping[str, str], filled: set[str]) -> str:
    """Why the tag is not available in the data; empty where it is."""
    for name in tag.features:
        if name not in windows and not _may_exist(name):
            raise SettingsError(f"tag {tag.name}: there is no feature {name}{nearest(name, windows)}")
        if name not in windows:
            return f"this shop has no {name}{nearest(name, windows)}"
        if name not in filled:
            return f"{name} is missing for all customers"
    return ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _may_exist(name: str) -> bool:
    """Whether some shop's profile table may have the feature: a fixed one, or one of an attribute's value."""
    of_value = any(name.startswith(f"{kind}_") and "=" in name for kind in KINDS)
    return of_value or name in {feature.name for feature in FIXED}


def _thresholds(tags: Iterable[Tag], table: pd.DataFrame) -> dict[tuple[str, float], float]:
    quantiles = {
        (condition.feature, bound.value)
        for tag in tags
        for condition in tag.conditions
        for bound in condition.bounds
        if bound.is_quantile
    }
    return {(feature, q): _quantile(table[feature].to_numpy(dtype=float), q) for feature, q in sorted(quantiles)}


def _quantile(values: np.ndarray, q: float) -> float:
    return float(np.quantile(values[np.isfinite(values)], q))


def _with_window(tag: Tag, windows: Mapping[str, str]) -> Tag:
    own = tag.window or "; ".join(dict.fromkeys(windows[name] for name in tag.features))
    return Tag(tag.name, tag.label, tag.definition, tag.conditions, own)
