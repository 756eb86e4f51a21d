"""The page of the segmentation task: one HTML file that needs no network and no script."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from omniretail.profile.segments.clustering import Segments
from omniretail.profile.segments.effect_sizes import effect_sizes, is_number, lifts
from omniretail.profile.segments.evaluate import SegmentFindings
from omniretail.profile.segments.projection import plane
from omniretail.profile.segments.stability import sample_stability
from omniretail.profile.windows import date_text
from omniretail.report.pages.segments_text import (
    NOTES,
    category_rows,
    drift_rows,
    drift_sentences,
    feature_labels,
    number_rows,
    percent,
    reason_not_described,
    segment_name,
    segment_rows,
    stability_sentences,
)
from omniretail.report.pages.templates import write_page
from omniretail.report.plots.captions import Plot
from omniretail.report.plots.segment_map import customer_map
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

_N_DRIFT_ROWS = 15
_NUMBERS = " The 5 % of customers furthest out on either side share a colour."


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write the segments, what distinguishes each, maps and drift.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.segments``.
        card: of the dataset.
    """
    findings: SegmentFindings = evaluation.findings
    customers = findings.customers
    definitions = feature_labels(findings.features, card.currency)
    definitions |= {name: f"tag “{label}”" for name, label in findings.labels.items()}
    write_page(
        path,
        "segments",
        title=f"{card.title}: segments of customers",
        data=card,
        verdicts=[customers.segments.note, *stability_sentences(customers.over_seeds, customers.over_time)],
        rows=_rows(findings, definitions),
        notes=NOTES,
        facts=_facts(findings, evaluation.result.model),
        plots=list(_maps(findings, definitions)),
        drift=drift_rows(customers.drift.head(_N_DRIFT_ROWS), definitions),
        drift_sentences=drift_sentences(customers.drift, customers.auc, _N_DRIFT_ROWS),
    )


def _facts(findings: SegmentFindings, model: str) -> dict[str, str]:
    customers = findings.customers
    return {
        "Encoder": model,
        "Segments made": f"{date_text(findings.earlier_at)}, {len(findings.earlier.ids):,} customers",
        "Customers assigned anew": f"{date_text(findings.later_at)}, {len(customers.ids):,} customers",
        "In the same segment": percent(float(customers.per_customer().stayed.mean())),
    }


def _rows(findings: SegmentFindings, definitions: Mapping[str, str]) -> list[dict]:
    segments, least = findings.customers.segments, findings.min_customers
    profile = findings.profile.reset_index(drop=True)
    reproduced = sample_stability(segments, findings.earlier.embeddings)
    rows = segment_rows(segments, reproduced, findings.customers.stayed, least)
    numbers = effect_sizes(profile, segments.labels, min_customers=least)
    categories = lifts(profile, segments.labels, min_customers=least)
    for segment, (row, size) in enumerate(zip(rows, segments.sizes, strict=True), start=1):
        row["numbers"] = number_rows(numbers.loc[numbers.segment == segment], definitions)
        row["categories"] = category_rows(categories.loc[categories.segment == segment], definitions)
        described = bool(row["numbers"] or row["categories"])
        row["reason"] = reason_not_described(int(size), int(segments.sizes.sum() - size), described, least)
    return rows


def _maps(findings: SegmentFindings, definitions: Mapping[str, str]) -> Iterator[Plot]:
    embeddings, least = findings.earlier.embeddings, findings.min_customers
    if len(embeddings) < least:
        return
    projected, profile = plane(embeddings), findings.profile.reset_index(drop=True)
    columns = [
        ("segment", _names(findings.customers.segments)),
        *((name, profile[name]) for name in findings.map_features),
    ]
    for place, (name, values) in enumerate(columns):
        title = f"Customers by {definitions.get(name, name)}"
        caption = projected.note + (_NUMBERS if is_number(values) else "")
        yield Plot(f"map{place}", title, caption, customer_map(projected.coordinates, values, name, least))


def _names(segments: Segments) -> pd.Series:
    """Each customer's segment by name, in the order that gives the map the table's colours."""
    names = [segment_name(number + 1) for number in range(segments.n_segments)]
    return pd.Series(pd.Categorical.from_codes(segments.labels - 1, names))
