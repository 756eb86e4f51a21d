"""Segments in words: rows of tables, sentences, and what distinguishes each segment in phrases."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from omniretail.profile.segments.clustering import Segments
from omniretail.profile.segments.drift import LARGE, MODERATE
from omniretail.profile.segments.effect_sizes import effect_sizes, lifts
from omniretail.profile.segments.stability import DOUBTFUL, STABLE, TimeStability
from omniretail.views.profile.dictionary import ALL, Feature

_MAX_EFFECT = 2.0
"""The d, or h, at which a bar is full."""
NOTES = (
    "Prediction strength: customers are halved, and each half is segmented; of all pairs of customers in one segment "
    "of the second half, the share that the first half's segments put together too, in the worst segment.",
    "Reproduced: how much of the segment comes back when customers are drawn anew (mean Jaccard similarity over "
    f"bootstrap samples); from {STABLE:g} it is stable, below {DOUBTFUL:g} it is not trustworthy.",
    "Stay: share of the segment's customers who are in it at the later cutoff too.",
)

EFFECT_NOTES = (
    "d is the difference of the means in standard deviations (Cohen's d), h that of shares (Cohen's h): 0.2 is small, "
    "0.5 medium, 0.8 large. Bars to the right: more than the others, to the left: less.",
    "Segments are made so that they differ; these figures describe them and are no test.",
)
DRIFT_NOTES = (
    "PSI is the population stability index: below 0.1 stable, to 0.25 a moderate shift, above it a large one.",
    "Features over all time (totals, tenure) grow by themselves; those over a fixed number of days show whether "
    "customers have changed.",
)


def feature_labels(features: Iterable[Feature], currency: str = "") -> dict[str, str]:
    """Phrases for features, with the window where it is not all time, and the unit where it is not obvious.

    Args:
        features: the dictionary of a profile table.
        currency: of amounts; empty where the source has none.

    >>> feature_labels([Feature("spend_91", "paid", "91 days", "currency")], "USD")
    {'spend_91': 'paid, 91 days, USD'}
    """
    units = {"days": "days", "currency": currency}
    return {each.name: ", ".join(filter(None, _label_parts(each, units))) for each in features}


def segment_rows(
    segments: Segments, names: Sequence[str], reproduced: np.ndarray, stayed: np.ndarray, min_customers: int
) -> list[dict[str, str]]:
    """A row per segment: its size, its share, how many customers stay in it, how much of it is reproduced.

    Args:
        segments: from ``fit_segments``.
        names: of the segments.
        reproduced: from ``sample_stability``; shape (K,).
        stayed: share of customers in the same segment later; shape (K,).
        min_customers: smaller segments are not described, not even by their size.
    """
    numbers = zip(names, segments.sizes, reproduced, stayed, strict=True)
    return [
        {"segment": name} | _sized(int(size), len(segments.labels), again, same, min_customers)
        for name, size, again, same in numbers
    ]


def reason_not_described(size: int, others: int, described: bool, min_customers: int) -> str:
    """Why a segment is not described; empty where it is."""
    if size < min_customers:
        return f"Fewer than {min_customers} customers: too few to describe without describing single customers."
    if others == 0:
        return "There are no other customers to compare with."
    if others < min_customers:
        return f"Not described: fewer than {min_customers} customers are outside it, and they would be described too."
    return "" if described else "No feature distinguishes these customers."


def distinguishing_features(
    profile: pd.DataFrame,
    labels: np.ndarray,
    definitions: Mapping[str, str],
    n_numbers: int = 4,
    n_values: int = 2,
    min_customers: int = 20,
) -> dict[int, list[str]]:
    """What distinguishes each segment, in phrases, the largest difference first.

    Args:
        profile: readable features; numbers are compared by mean, other columns value by value; shape (N, F).
        labels: each customer's segment, from 1; shape (N,).
        definitions: a phrase for people for features that have one.
        n_numbers: features per segment.
        n_values: values of other columns per segment.
        min_customers: fewer, inside or outside the segment, are not described; a sentence says so.
    """
    numbers = effect_sizes(profile, labels, n_numbers, min_customers)
    values = lifts(profile, labels, n_values, min_customers)
    phrases = {}
    for segment in np.unique(labels).tolist():
        means = number_cells(numbers.loc[numbers.segment == segment], definitions)
        shares = category_cells(values.loc[values.segment == segment], definitions)
        own = [_phrase(*row) for cells in (means, shares) for row in cells.iloc[:, :4].to_numpy().tolist()]
        size = int((labels == segment).sum())
        reason = reason_not_described(size, len(labels) - size, bool(own), min_customers)
        phrases[segment] = [reason] if reason else own
    return phrases


def number_cells(table: pd.DataFrame, definitions: Mapping[str, str]) -> pd.DataFrame:
    """Rows of ``effect_sizes`` of one segment, as text, and the name of each feature."""
    rows = [
        (_label(row.feature, definitions), number(row.mean), number(row.mean_others), effect(row.d), str(row.feature))
        for row in _tuples(table)
    ]
    return pd.DataFrame(rows, columns=["feature", "mean", "of the others", "d", "column"])


def category_cells(table: pd.DataFrame, definitions: Mapping[str, str]) -> pd.DataFrame:
    """Rows of ``lifts`` of one segment, as text; a flag goes without its value."""
    rows = [
        (
            _valued(row.feature, row.value, definitions),
            percent(row.share),
            percent(row.share_others),
            effect(row.h),
            f"× {row.lift:.2f}" if np.isfinite(row.lift) else "nobody else",
        )
        for row in _tuples(table)
    ]
    return pd.DataFrame(rows, columns=["tags and attributes", "share", "of the others", "h", "lift"])


def bar_lengths(effects: Sequence[float]) -> list[float]:
    """Differences as bars in [−1, 1]."""
    return [max(-1.0, min(1.0, float(each) / _MAX_EFFECT)) for each in effects]


def drift_cells(table: pd.DataFrame, definitions: Mapping[str, str]) -> pd.DataFrame:
    """Rows of ``drift``, as text."""
    rows = [
        (_label(row.feature, definitions), f"{row.psi:.2f}", row.reading, number(row.first), number(row.second))
        for row in _tuples(table)
    ]
    return pd.DataFrame(rows, columns=["feature", "PSI", "shift", "mean at the earlier", "at the later"])


def drift_sentences(table: pd.DataFrame, auc: float, n_rows: int) -> list[str]:
    """How much drifted, in sentences.

    Args:
        table: from ``drift``.
        auc: from ``domain_auc``.
        n_rows: of the table that are shown.
    """
    large, some = (table.psi > LARGE).sum(), (table.psi >= MODERATE).sum()
    rest = f" Shown are the {n_rows} that shifted most." if len(table) > n_rows else ""
    return [
        f"Of {len(table):,} features, {large:,} shifted a lot and {some - large:,} moderately.{rest}",
        f"From the embedding, a logistic regression separates the windows with an AUC of {auc:.2f}; 0.5 is chance, at "
        "1 every customer has changed.",
    ]


def stability_sentences(over_seeds: float, over_time: TimeStability) -> list[str]:
    """Whether the segments last, in sentences."""
    return [
        f"Fitted with other seeds, segments agree with an adjusted Rand index of {over_seeds:.2f} (1: identical).",
        f"Between the two cutoffs customers keep their segment with an index of {over_time.assigned:.2f}; segments "
        f"fitted anew at the later one agree with those of the earlier one with {over_time.refitted:.2f}.",
    ]


def number(value: float) -> str:
    """Three significant digits.

    >>> [number(value) for value in (1371.7, 10.4429, 0.01234, float("nan"))]
    ['1,372', '10.4', '0.0123', '–']
    """
    if np.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(share: float) -> str:
    """A share for people.

    >>> percent(0.1234)
    '12.3 %'
    """
    return f"{100 * share:.1f} %"


def effect(d: float) -> str:
    """A standardised difference, signed.

    >>> effect(-1.154), effect(float("inf"))
    ('−1.15', '> 10')
    """
    if abs(d) > 10:
        return "> 10" if d > 0 else "< −10"
    return f"{d:+.2f}".replace("-", "−")


def _label_parts(feature: Feature, units: Mapping[str, str]) -> tuple[str, str, str]:
    definition = feature.definition.partition(";")[0]  # what follows is for the dictionary
    return definition, feature.window if feature.window != ALL else "", units.get(feature.unit, "")


def _sized(size: int, total: int, reproduced: float, stayed: float, min_customers: int) -> dict[str, str]:
    names = ("customers", "share", "stay", "reproduced", "reading")
    if size < min_customers:
        return dict(zip(names, (f"fewer than {min_customers}", "–", "–", "–", "–"), strict=True))
    reading = "stable" if reproduced >= STABLE else "doubtful" if reproduced < DOUBTFUL else "in parts"
    shown = (f"{size:,}", percent(size / total), percent(stayed), f"{reproduced:.2f}", reading)
    return dict(zip(names, shown, strict=True))


def _phrase(label: str, value: str, others: str, size: str) -> str:
    arrow = "↓" if size.startswith(("−", "< −")) else "↑"
    return f"{arrow} {label}: {value}, others {others}"


def _label(feature: object, definitions: Mapping[str, str]) -> str:
    return definitions.get(str(feature), str(feature))


def _valued(feature: object, value: str, definitions: Mapping[str, str]) -> str:
    label = _label(feature, definitions)
    return label if value == "True" else f"{label}: {value}"


def _tuples(table: pd.DataFrame) -> list:
    return list(table.itertuples(index=False))
