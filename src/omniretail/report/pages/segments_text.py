"""What a page on segments says: rows of its tables and its sentences, as text."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from omniretail.profile.segments.clustering import Segments
from omniretail.profile.segments.drift import LARGE, MODERATE
from omniretail.profile.segments.stability import DOUBTFUL, STABLE, TimeStability
from omniretail.report.plots.style import LineStyle, line_styles

_WIDEST = 2.0
"""The d, or h, at which a bar is full."""


def segment_name(segment: int) -> str:
    """What a segment is called.

    >>> segment_name(1)
    'Segment 1'
    """
    return f"Segment {segment}"


def segment_looks(segments: Segments) -> dict[str, LineStyle]:
    """Each segment's colour and marker by its name, the same in table and map."""
    return line_styles([segment_name(number + 1) for number in range(segments.n_segments)], None)


def segment_rows(segments: Segments, found: np.ndarray, min_customers: int) -> list[dict]:
    """A row per segment: its size, its share, how much of it is found again.

    Args:
        segments: from ``fit_segments``.
        found: from ``sample_stability``; shape (K,).
        min_customers: of smaller segments nothing is told, not even how small they are.
    """
    own, sizes = segment_looks(segments), segments.sizes
    return [
        {"name": name, "look": look} | _sized(int(size), len(segments.labels), stability, min_customers)
        for (name, look), size, stability in zip(own.items(), sizes, found, strict=True)
    ]


def silence(size: int, others: int, described: bool, min_customers: int) -> str:
    """Why nothing is said of a segment; empty where something is."""
    if size < min_customers:
        return f"Fewer than {min_customers} customers: too few to be described without telling about single people."
    if others == 0:
        return "There is nobody else to compare these customers with."
    if others < min_customers:
        return f"Not described: fewer than {min_customers} customers are outside it, and they would be described too."
    return "" if described else "Nothing that is known of these customers sets them apart."


def number_rows(table: pd.DataFrame, definitions: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows of ``differences`` of one segment, as text."""
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
            "words": _valued(row.feature, row.value, definitions),
            "share": percent(row.share),
            "others": percent(row.share_others),
        }
        | {"lift": f"× {row.lift:.2f}" if np.isfinite(row.lift) else "nobody else"}
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


def drift_sentences(table: pd.DataFrame | None, auc: float | None, shown: int) -> list[str]:
    """How much moved, in sentences."""
    said = []
    if table is not None:
        large, some = (table.psi > LARGE).sum(), (table.psi >= MODERATE).sum()
        rest = f" Shown are the {shown} that moved most." if len(table) > shown else ""
        said.append(f"Of {len(table):,} features, {large:,} shifted a lot and {some - large:,} moderately.{rest}")
    if auc is not None:
        said.append(
            f"From the embedding, a logistic regression tells the windows apart with an AUC of {auc:.2f}; 0.5 is "
            "guessing, 1 means that every customer looks different now."
        )
    return said


def stability_sentences(over_seeds: float, over_time: TimeStability | None) -> list[str]:
    """Whether the segments last, in sentences."""
    said = [f"Fitted with other seeds, segments agree with an adjusted Rand index of {over_seeds:.2f} (1: the same)."]
    if over_time is not None:
        said.append(
            f"Between the two moments customers keep their segment with an index of {over_time.assigned:.2f}; segments "
            f"made anew at the second agree with those of the first with {over_time.refitted:.2f}."
        )
    return said


LEGEND = (
    "Prediction strength: customers are halved, and each half makes its own segments; the share of pairs whom both put "
    "together, in the worst segment.",
    "Found again: how much of the segment comes back when customers are drawn anew (mean Jaccard similarity over "
    f"bootstrap samples); from {STABLE:g} it is stable, below {DOUBTFUL:g} it is not to be trusted.",
)


def number(value: float) -> str:
    """Three digits that count.

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


def _sized(size: int, total: int, stability: float, min_customers: int) -> dict[str, str]:
    if size < min_customers:
        return {"size": f"fewer than {min_customers}", "share": "–", "stability": "–", "reading": ""}
    reading = "stable" if stability >= STABLE else "doubtful" if stability < DOUBTFUL else "in parts"
    return {"size": f"{size:,}", "share": percent(size / total), "stability": f"{stability:.2f}", "reading": reading}


def _named(feature: object, definitions: Mapping[str, str]) -> dict[str, str]:
    words = definitions.get(str(feature))
    return {"words": words or str(feature), "feature": str(feature) if words else ""}


def _valued(feature: object, value: str, definitions: Mapping[str, str]) -> str:
    words = definitions.get(str(feature), str(feature))
    return words if value == "True" else f"{words}: {value}"


def _bar(effect_size: float) -> dict[str, str]:
    width = 50 * min(abs(effect_size) / _WIDEST, 1)
    return {"side": "more" if effect_size > 0 else "less", "width": f"{width:.0f}"}


def _tuples(table: pd.DataFrame) -> list:
    return list(table.itertuples(index=False))
