"""Segments by name: what sets each apart, in words; what its customers are worth; what could be done with them."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from omniretail.profile.segments.effect_sizes import effect_sizes

_WORDS = {
    "recency_days": ("away for long", "here lately"),
    "tenure_days": ("long-standing", "new"),
    "visits": ("frequent", "infrequent"),
    "visits_28": ("frequent this month", "hardly here this month"),
    "visits_91": ("frequent lately", "infrequent lately"),
    "active_weeks": ("here in most weeks", "here in few weeks"),
    "gap_mean_days": ("long gaps", "short gaps"),
    "gap_std_days": ("uneven gaps", "even gaps"),
    "gap_regularity": ("irregular", "regular"),
    "overdue": ("overdue", "on time"),
    "spend": ("big spenders", "small spenders"),
    "spend_28": ("big spenders this month", "small spenders this month"),
    "spend_91": ("big spenders lately", "small spenders lately"),
    "basket_value_mean": ("dear baskets", "cheap baskets"),
    "basket_value_std": ("baskets of very different value", "baskets of much the same value"),
    "basket_value_max": ("one very dear basket", "no dear basket"),
    "basket_lines_mean": ("full baskets", "small baskets"),
    "basket_lines_max": ("a very full basket", "no full basket"),
    "small_baskets": ("small baskets", "full baskets"),
    "lines": ("buy a lot", "buy little"),
    "lines_91": ("buy a lot lately", "buy little lately"),
    "quantity_mean": ("several pieces at once", "single pieces"),
    "unit_price_mean": ("dear products", "cheap products"),
    "discount_share": ("bargain hunters", "pay full prices"),
    "discount_share_91": ("bargain hunters lately", "pay full prices lately"),
    "discounted_lines": ("buy what is reduced", "pay full prices"),
    "coupon_share": ("save by coupons", "hardly save by coupons"),
    "coupon_visits": ("coupon users", "no coupon users"),
    "stores": ("several stores", "few stores"),
    "store_loyalty": ("one store", "change stores"),
    "items": ("wide range", "narrow range"),
    "item_entropy": ("wide range", "few products"),
    "repeat_share": ("buy the same again", "buy new things"),
    "repeat_share_91": ("buy the same again lately", "buy new things lately"),
    "visits_trend": ("come more and more", "come less and less"),
    "spend_trend": ("spend more and more", "spend less and less"),
    "visits_trend_28": ("come more this month", "come less this month"),
    "weekend": ("at weekends", "on working days"),
}
"""Feature -> words for customers who have more of it than the others, and for those who have less."""
_LEVELS = {
    "share": ("a lot of {}", "little {}"),
    "lines_91": ("much {} lately", "little {} lately"),
    "days_since": ("long without {}", "{} lately"),
}
"""Features of a value of an item attribute, such as ``lines_91_department=DELI``."""
_LARGE = 0.5  # a medium difference by Cohen, in standard deviations
_ADVICE = (
    ("Win back", "They bought much and stay away: a personal offer on what they used to buy, soon."),
    ("Let go, or win back cheaply", "They bought little and stay away: nothing that costs more than a message."),
    ("Welcome", "They are new: show what customers like them buy next, and a reason to come a second time."),
    ("Keep", "They bring much of the turnover: service, stock and early access rather than discounts."),
    (
        "Coupons, tested",
        "They wait for reductions: send coupons to half of them, and see whether they would buy anyway.",
    ),
    ("Bring more often", "They come rarely: reminders when their next purchase is due."),
    ("Leave as they are", "They differ little from the others in what calls for action."),
)


def segment_name(segment: int) -> str:
    """What a segment is called that is not described.

    >>> segment_name(1)
    'Segment 1'
    """
    return f"Segment {segment}"


def segment_names(numbers: pd.DataFrame, n_segments: int, definitions: Mapping[str, str]) -> list[str]:
    """Names from the two features that set each segment apart most; those of products only where no others do.

    Args:
        numbers: from ``effect_sizes``; a segment without rows keeps its number.
        n_segments: K.
        definitions: a phrase for people for features that have one.

    Returns:
        K names, each with its number, so that no two are equal.
    """
    names = []
    for segment in range(1, n_segments + 1):
        rows = numbers[numbers.segment == segment]
        pairs = sorted(zip(map(str, rows.feature), rows.d, strict=True), key=lambda pair: pair[0] not in _WORDS)
        words = dict.fromkeys(feature_words(feature, float(d), definitions) for feature, d in pairs)
        text = _new_pair(list(words), names)
        names.append(f"{segment} · {text[:1].upper()}{text[1:]}" if text else segment_name(segment))
    return names


def _new_pair(words: list[str], names: list[str]) -> str:
    """The first words, the second of which is changed for the next where another segment is already called so."""
    pairs = [", ".join([words[0], second]) for second in words[1:]] or words[:1]
    taken = [name.partition(" · ")[2].lower() for name in names]
    return next((pair for pair in pairs if pair.lower() not in taken), "".join(pairs[:1]))


def feature_words(feature: str, d: float, definitions: Mapping[str, str] | None = None) -> str:
    """A difference in words.

    Args:
        feature: a column of the profile table.
        d: Cohen's d, above 0 where the segment has more.
        definitions: phrases for features without words of their own.

    >>> feature_words("spend_91", 1.2), feature_words("recency_days", -0.8), feature_words("share_department=DELI", 0.9)
    ('big spenders lately', 'here lately', 'a lot of Deli')
    >>> feature_words("age", -0.8, {"age": "age in years"})
    'low age in years'
    """
    less = int(d < 0)
    if feature in _WORDS:
        return _WORDS[feature][less]
    parts = re.fullmatch(rf"({'|'.join(_LEVELS)})_\w+?=(.+)", feature)
    if parts is not None:
        return _LEVELS[parts[1]][less].format(parts[2].capitalize() if parts[2].isupper() else parts[2])
    label = (definitions or {}).get(feature, feature.replace("_", " "))
    return f"{('high', 'low')[less]} {label}"


def advice(d: Mapping[str, float]) -> tuple[str, str]:
    """What could be done with customers who differ so much, in two words and in a sentence.

    Args:
        d: Cohen's d by feature; features that are absent do not differ.

    >>> advice({"recency_days": 1.0, "spend": 0.7})[0], advice({"spend": 0.9})[0], advice({})[0]
    ('Win back', 'Keep', 'Leave as they are')
    """
    spends = max(d.get("spend", 0.0), d.get("spend_91", 0.0))
    away = max(d.get("recency_days", 0.0), d.get("overdue", 0.0)) > _LARGE
    reduced = max(d.get(name, 0.0) for name in ("discount_share", "coupon_visits", "coupon_share"))
    cases = (
        away and d.get("spend", 0.0) > 0,
        away,
        d.get("tenure_days", 0.0) < -_LARGE,
        spends > _LARGE,
        reduced > _LARGE,
        d.get("visits_91", d.get("visits", 0.0)) < -0.2,
        True,
    )
    return _ADVICE[cases.index(True)]


def all_differences(profile: pd.DataFrame, labels: np.ndarray, min_customers: int) -> dict[int, dict[str, float]]:
    """Cohen's d of every number by segment."""
    table = effect_sizes(profile, labels, profile.shape[1], min_customers, max_correlation=np.inf)
    by_segment: dict[int, dict[str, float]] = {}
    for segment, feature, d in zip(table.segment, table.feature, table.d, strict=True):
        by_segment.setdefault(int(segment), {})[str(feature)] = float(d)
    return by_segment


def values(profile: pd.DataFrame, labels: np.ndarray, sizes: Sequence[int], min_customers: int) -> pd.DataFrame:
    """What the customers of each segment are worth: ``mean, share`` of what was paid; NaN for small segments.

    Args:
        profile: with ``spend_91`` or ``spend``; empty table where it has neither.
        labels: each customer's segment, from 1; shape (N,).
        sizes: customers in each segment.
        min_customers: smaller segments are not described.
    """
    column = next((name for name in ("spend_91", "spend") if name in profile.dropna(axis="columns", how="all")), None)
    if column is None:
        return pd.DataFrame()
    paid = np.bincount(labels, weights=profile[column].fillna(0.0), minlength=len(sizes) + 1)[1:]  # (K,)
    worth = np.column_stack([paid / np.maximum(sizes, 1), paid / max(paid.sum(), 1e-12)])
    worth[np.asarray(sizes) < min_customers] = np.nan
    index = pd.RangeIndex(1, len(sizes) + 1, name=column)
    return pd.DataFrame(worth, columns=["mean", "share"], index=index)
