"""Segments as one HTML file that needs no network and no script."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.profile.segments.clustering import Segments
from omniretail.profile.segments.effect_sizes import effect_sizes, is_number, lifts
from omniretail.profile.segments.projection import plane
from omniretail.profile.segments.stability import TimeStability, sample_stability, seed_stability
from omniretail.report.pages.segments_text import (
    LEGEND,
    category_rows,
    drift_rows,
    drift_sentences,
    number_rows,
    segment_name,
    segment_rows,
    silence,
    stability_sentences,
)
from omniretail.report.pages.templates import rendered
from omniretail.report.plots.segment_map import customer_map
from omniretail.report.plots.style import svg
from omniretail.schema import DatasetCard

_DRIFT_ROWS = 15
_NUMBERS = " The 5 % of customers furthest out on either side share a colour."


def write_segments(
    path: Path,
    title: str,
    data: DatasetCard,
    segments: Segments,
    embeddings: np.ndarray,
    profile: pd.DataFrame,
    colour_by: Sequence[str] = (),
    definitions: Mapping[str, str] | None = None,
    over_time: TimeStability | None = None,
    drifted: pd.DataFrame | None = None,
    auc: float | None = None,
    over_seeds: float | None = None,
    facts: Mapping[str, str] | None = None,
    min_customers: int = 20,
) -> None:
    """Write the page: segments, what sets each apart, maps, drift.

    Args:
        path: the file to write.
        title: of the page.
        data: of the source.
        segments: from ``fit_segments``.
        embeddings: that they were made from; shape (N, D).
        profile: what people can read of the same customers, in the same order; shape (N, F). Numbers are compared by
            mean, other columns value by value.
        colour_by: columns of the profile that get a map each, besides the segments.
        definitions: a phrase for people for features that have one.
        over_time: from ``time_stability``.
        drifted: from ``drift``.
        auc: from ``domain_auc``.
        over_seeds: from ``seed_stability``; worked out where it is not given.
        facts: for people, e.g. ``{"Customers as of": "2017-12-04"}``.
        min_customers: fewer are not described: neither a segment, nor a value, nor a map.

    Raises:
        ValueError: where the profile, the embeddings and the segments are not of equally many customers.
    """
    definitions, own = definitions or {}, profile.reset_index(drop=True)
    over_seeds = seed_stability(segments, embeddings) if over_seeds is None else over_seeds
    coloured = {str(name): column for name, column in own[list(colour_by)].items()}
    page = rendered(
        "segments",
        title=title,
        data=data,
        verdicts=[segments.note, *stability_sentences(over_seeds, over_time)],
        rows=_rows(segments, embeddings, own, definitions, min_customers),
        legend=LEGEND,
        facts=dict(facts or {}),
        plots=_maps(
            segments,
            embeddings,
            coloured,
            definitions,
            min_customers,
        ),
        drift=[] if drifted is None else drift_rows(drifted.head(_DRIFT_ROWS), definitions),
        domain=drift_sentences(drifted, auc, _DRIFT_ROWS),
    )
    path.write_text(page, encoding="utf-8")


def _rows(
    segments: Segments,
    embeddings: np.ndarray,
    profile: pd.DataFrame,
    definitions: Mapping[str, str],
    min_customers: int,
) -> list[dict]:
    rows = segment_rows(segments, sample_stability(segments, embeddings), min_customers)
    numbers = effect_sizes(profile, segments.labels, min_customers=min_customers)
    categories = lifts(profile, segments.labels, min_customers=min_customers)
    for segment, (row, size) in enumerate(zip(rows, segments.sizes, strict=True), start=1):
        row["numbers"] = number_rows(numbers.loc[numbers.segment == segment], definitions)
        row["categories"] = category_rows(categories.loc[categories.segment == segment], definitions)
        described = bool(row["numbers"] or row["categories"])
        row["silence"] = silence(int(size), int(segments.sizes.sum() - size), described, min_customers)
    return rows


def _maps(
    segments: Segments,
    embeddings: np.ndarray,
    coloured: Mapping[str, pd.Series],
    definitions: Mapping[str, str],
    min_customers: int,
) -> list[dict[str, str]]:
    if len(embeddings) < min_customers:
        return []
    made, shown = plane(embeddings), [("segment", _names(segments)), *coloured.items()]
    return [
        {
            "title": f"Customers by {definitions.get(str(name), name)}",
            "caption": made.words + (_NUMBERS if is_number(values) else ""),
            "svg": svg(customer_map(made.places, values, str(name), min_customers), f"map{place}", f"Map by {name}"),
        }
        for place, (name, values) in enumerate(shown)
    ]


def _names(segments: Segments) -> pd.Series:
    """Each customer's segment by name, in the order that gives the map the table's colours."""
    names = [segment_name(number + 1) for number in range(segments.n_segments)]
    return pd.Series(pd.Categorical.from_codes(segments.labels - 1, names))
