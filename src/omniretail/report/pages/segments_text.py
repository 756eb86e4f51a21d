"""Segments in words: rows of tables, sentences, and what distinguishes each segment in phrases."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from omniretail.profile.segments.clustering import Segments
from omniretail.profile.segments.drift import LARGE, MODERATE
from omniretail.profile.segments.effect_sizes import effect_sizes, lifts
from omniretail.profile.segments.stability import DOUBTFUL, STABLE, TimeStability
from omniretail.report.plots.style import LineStyle, line_styles
from omniretail.views.profile.dictionary import ALL, Feature

_MAX_EFFECT = 2.0
"""The d, or h, at which a bar is full."""
_ARROWS = {"more": "↑", "less": "↓"}
NOTES = (
    "Prediction strength: customers are halved, and each half is segmented; of all pairs of customers in one segment "
    "of the second half, the share that the first half's segments put together too, in the worst segment.",
    "Reproduced: how much of the segment comes back when customers are drawn anew (mean Jaccard similarity over "
    f"bootstrap samples); from {STABLE:g} it is stable, below {DOUBTFUL:g} it is not trustworthy.",
    "Stay: share of the segment's customers who are in it at the later cutoff too.",
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


def segment_name(segment: int) -> str:
    """What a segment is called.

    >>> segment_name(1)
    'Segment 1'
    """
    return f"Segment {segment}"


def segment_styles(segments: Segments) -> dict[str, LineStyle]:
    """Each segment's colour and marker by its name, the same in table and map."""
    return line_styles([segment_name(number + 1) for number in range(segments.n_segments)], None)


def segment_rows(segments: Segments, reproduced: np.ndarray, stayed: np.ndarray, min_customers: int) -> list[dict]:
    """A row per segment: its size, its share, how much of it is reproduced, how many customers stay in it.

    Args:
        segments: from ``fit_segments``.
        reproduced: from ``sample_stability``; shape (K,).
        stayed: share of customers in the same segment later; shape (K,).
        min_customers: smaller segments are not described, not even by their size.
    """
    numbers = zip(segment_styles(segments).items(), segments.sizes, reproduced, stayed, strict=True)
    return [
        {"name": name, "style": style} | _sized(int(size), len(segments.labels), again, same, min_customers)
        for (name, style), size, again, same in numbers
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
        means = number_rows(numbers.loc[numbers.segment == segment], definitions)
        shares = category_rows(values.loc[values.segment == segment], definitions)
        rows = [(row, row["mean"]) for row in means] + [(row, row["share"]) for row in shares]
        own = [f"{_ARROWS[row['side']]} {row['label']}: {value}, others {row['others']}" for row, value in rows]
        size = int((labels == segment).sum())
        reason = reason_not_described(size, len(labels) - size, bool(own), min_customers)
        phrases[segment] = [reason] if reason else own
    return phrases


def number_rows(table: pd.DataFrame, definitions: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows of ``effect_sizes`` of one segment, as text."""
    return [
        _named(row.feature, definitions)
        | {"mean": number(row.mean), "others": number(row.mean_others), "d": effect(row.d)}
        | _bar(row.d)
        for row in _tuples(table)
    ]


def category_rows(table: pd.DataFrame, definitions: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows of ``lifts`` of one segment, as text; a flag goes without its value."""
    return [
        {
            "label": _valued(row.feature, row.value, definitions),
            "feature": "",
            "share": percent(row.share),
            "others": percent(row.share_others),
            "lift": f"× {row.lift:.2f}" if np.isfinite(row.lift) else "nobody else",
        }
        | _bar(row.h)
        for row in _tuples(table)
    ]


def drift_rows(table: pd.DataFrame, definitions: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows of ``drift``, as text."""
    return [
        _named(row.feature, definitions)
        | {"psi": f"{row.psi:.2f}", "reading": row.reading, "first": number(row.first), "second": number(row.second)}
        for row in _tuples(table)
    ]


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
    if size < min_customers:
        return (
            {"size": f"fewer than {min_customers}"}
            | dict.fromkeys(("share", "reproduced", "stayed"), "–")
            | {"reading": ""}
        )
    reading = "stable" if reproduced >= STABLE else "doubtful" if reproduced < DOUBTFUL else "in parts"
    shares = {"share": percent(size / total), "reproduced": f"{reproduced:.2f}", "stayed": percent(stayed)}
    return {"size": f"{size:,}", **shares, "reading": reading}


def _named(feature: object, definitions: Mapping[str, str]) -> dict[str, str]:
    label = definitions.get(str(feature))
    return {"label": label or str(feature), "feature": str(feature) if label else ""}


def _valued(feature: object, value: str, definitions: Mapping[str, str]) -> str:
    label = definitions.get(str(feature), str(feature))
    return label if value == "True" else f"{label}: {value}"


def _bar(effect_size: float) -> dict[str, str]:
    width = 50 * min(abs(effect_size) / _MAX_EFFECT, 1)
    return {"side": "more" if effect_size > 0 else "less", "width": f"{width:.0f}"}


def _tuples(table: pd.DataFrame) -> list:
    return list(table.itertuples(index=False))
