"""The page of the segmentation task: which segments there are, what sets them apart, whether they last."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from omniretail.profile.segments.effect_sizes import effect_sizes, lifts
from omniretail.profile.segments.evaluate import SegmentFindings
from omniretail.profile.segments.projection import plane
from omniretail.profile.segments.stability import sample_stability
from omniretail.profile.windows import date_text
from omniretail.report.charts.chart import Chart
from omniretail.report.charts.customer_map import customer_map
from omniretail.report.charts.style import line_styles
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.files import write_beside
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.pages.segment_names import advice, all_differences, segment_names, values
from omniretail.report.pages.segments_text import (
    DRIFT_NOTES,
    EFFECT_NOTES,
    NOTES,
    bar_lengths,
    category_cells,
    drift_cells,
    drift_sentences,
    feature_labels,
    number_cells,
    percent,
    reason_not_described,
    segment_rows,
    stability_sentences,
)
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

_N_DRIFT_ROWS = 15
_N_FEATURES = 8


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write the segments, what distinguishes each, maps and drift; customers go into a CSV file beside the page.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.segments``.
        card: of the dataset.
    """
    findings: SegmentFindings = evaluation.findings
    customers, profile = findings.customers, findings.profile.reset_index(drop=True)
    definitions = feature_labels(findings.features, card.currency)
    definitions |= {name: f"tag “{label}”" for name, label in findings.labels.items()}
    numbers = effect_sizes(profile, customers.segments.labels, _N_FEATURES, findings.min_customers)
    names = segment_names(numbers, customers.segments.n_segments, definitions)
    drift = Table(drift_cells(customers.drift.head(_N_DRIFT_ROWS), definitions), DRIFT_NOTES)
    file = write_beside(path, "customers", customers.table())
    Page(
        title=f"{card.title}: segments of customers",
        card=card,
        sentences=[
            f"{len(names)} segments: {'; '.join(names)}." if len(names) > 1 else "All customers are one segment.",
            customers.segments.note,
            *stability_sentences(customers.over_seeds, customers.over_time),
        ],
        sections=[
            Section("The segments", tables=[_overview(findings, names, profile, card)], file=file),
            Section("What to do with them", tables=[_actions(findings, names, profile)]),
            Section("Maps", charts=_maps(findings, names, definitions)),
            *_described(findings, names, profile, numbers, definitions),
            Section(
                "Drift between the cutoffs",
                drift_sentences(customers.drift, customers.auc, _N_DRIFT_ROWS),
                [drift],
            ),
        ],
        terms=_facts(findings, evaluation.result.model) | protocol_terms(evaluation.result),
    ).write(path)


def _facts(findings: SegmentFindings, model: str) -> dict[str, str]:
    customers = findings.customers
    return {
        "Encoder": model,
        "Segments made": f"{date_text(findings.earlier_at)}, {len(findings.earlier.ids):,} customers",
        "Customers assigned anew": f"{date_text(findings.later_at)}, {len(customers.ids):,} customers",
        "In the same segment": percent(float(customers.per_customer().stayed.mean())),
    }


def _overview(findings: SegmentFindings, names: list[str], profile: pd.DataFrame, card: DatasetCard) -> Table:
    """Size, value and stability of each segment."""
    segments, least = findings.customers.segments, findings.min_customers
    reproduced = sample_stability(segments, findings.earlier.embeddings)
    cells = pd.DataFrame(segment_rows(segments, names, reproduced, findings.customers.stayed, least))
    worth = values(profile, segments.labels, segments.sizes.tolist(), least)
    if len(worth):
        when = "in 91 days" if worth.index.name == "spend_91" else "in all"
        title = f"paid per customer {when}{f', {card.currency}' if card.currency else ''}"
        cells.insert(3, title, [f"{mean:,.2f}" if mean == mean else "–" for mean in worth["mean"]])
        cells.insert(4, "share of turnover", [percent(share) if share == share else "–" for share in worth["share"]])
    return Table(cells, NOTES, styles=line_styles(names))


def _actions(findings: SegmentFindings, names: list[str], profile: pd.DataFrame) -> Table:
    """A suggestion for each segment that is described."""
    segments, least = findings.customers.segments, findings.min_customers
    differences = all_differences(profile, segments.labels, least)
    rows = [
        (name, *(advice(differences.get(place, {})) if size >= least else ("–", "Too few customers to describe.")))
        for place, (name, size) in enumerate(zip(names, segments.sizes, strict=True), start=1)
    ]
    note = (
        "Suggestions by rule from how each segment differs from the others (half a standard deviation or more). They "
        "are no findings: try them on half of the segment, and compare with the other half (task=uplift)."
    )
    return Table(pd.DataFrame(rows, columns=["segment", "do", "why"]), [note], styles=line_styles(names))


def _described(
    findings: SegmentFindings,
    names: list[str],
    profile: pd.DataFrame,
    numbers: pd.DataFrame,
    definitions: Mapping[str, str],
) -> list[Section]:
    """What distinguishes each segment, a section each."""
    segments, least = findings.customers.segments, findings.min_customers
    categories = lifts(profile, segments.labels, min_customers=least)
    sections = []
    for segment, (name, size) in enumerate(zip(names, segments.sizes, strict=True), start=1):
        own, shares = (pd.DataFrame(each[each.segment == segment]) for each in (numbers, categories))
        reason = reason_not_described(int(size), int(segments.sizes.sum() - size), bool(len(own) or len(shares)), least)
        tables = [
            Table(cells, bars={column: bar_lengths(effects)})
            for cells, column, effects in (
                (number_cells(own, definitions), "d", own.d.to_list()),
                (category_cells(shares, definitions), "h", shares.h.to_list()),
            )
            if len(cells)
        ]
        sections.append(Section(f"What distinguishes {name}", [reason] if reason else [], tables))
    if any(section.tables for section in sections):
        sections.append(Section("How to read these differences", EFFECT_NOTES))
    return sections


def _maps(findings: SegmentFindings, names: list[str], definitions: Mapping[str, str]) -> list[Chart]:
    embeddings, least = findings.earlier.embeddings, findings.min_customers
    if len(embeddings) < least:
        return []
    projected, profile = plane(embeddings), findings.profile.reset_index(drop=True)
    labels = findings.customers.segments.labels
    own = pd.Series(pd.Categorical.from_codes(labels - 1, names))  # in the order that gives the map the table's colours
    maps = [("segment", own), *((definitions.get(name, name), profile[name]) for name in findings.map_features)]
    return [customer_map(projected.coordinates, column, name, projected.note, least) for name, column in maps]
