"""The page of the tags task: the table of tags, or one customer's card, or the portrait of a tag's customers."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from omniretail.profile.tags.evaluate import TagFindings
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.report.charts.bars import beside_everybody
from omniretail.report.pages.customer import predictions_section, write_card, write_portrait
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.amounts import percent
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write the card or the portrait where the task names one, else the table of tags.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.tags``.
        card: of the dataset.
    """
    findings: TagFindings = evaluation.findings
    at = datetime.fromtimestamp(findings.population.train.at, tz=UTC)
    context = f"{card.title}, events before {at.day} {at:%B %Y, %H:%M} UTC."
    if findings.card is not None:
        further = predictions_section(findings.predictions, findings.missing)
        write_card(path, findings.card, context, card, further)
    elif findings.portrait is not None:
        write_portrait(path, findings.portrait, context, card)
    else:
        write_tags(path, findings.population.learned, findings.stability, context, card, findings.days)


def write_tags(
    path: Path, learned: LearnedTags, stability: pd.DataFrame, context: str, data: DatasetCard, days: float = 28
) -> None:
    """Write the table of all tags.

    Args:
        path: the file to write; its folder is made.
        learned: the tags.
        stability: from ``tags.stability``.
        context: a sentence that names the data and the cutoff.
        data: of the source.
        days: between the two cutoffs of ``stability``.
    """
    cells = tag_cells(learned, stability)
    shares = [float(stability.loc[tag.name, "share"]) for tag in learned.tags]
    note = (
        f"Still tagged: of the customers with the tag {days:g} days before, the share who have it now. Jaccard: of "
        "those with the tag on either day, the share who have it on both. Both compare the same customers under the "
        "same thresholds; – where nobody has the tag."
    )
    names = [tag.label for tag in learned.tags]
    frame = pd.DataFrame({"name": names, "value": shares, "everybody": float("nan")}).sort_values(
        "value", ascending=False
    )
    chart = beside_everybody(frame, "Customers by tag", "Share of all customers who have the tag.")
    sections = [
        Section("All tags", tables=[Table(cells, [note], bars={"share": shares})]),
        Section("Share", charts=[chart]),
    ]
    if learned.left_out:
        rows = pd.DataFrame(list(learned.left_out.items()), columns=["tag", "why"])
        sentence = f"{len(rows)} tags are not available in this data."
        sections.append(Section("Left out", [sentence], [Table(rows)]))
    Page(title="Tags", card=data, sentences=[*_summary(names, shares), context], sections=sections).write(path)


def tag_cells(learned: LearnedTags, stability: pd.DataFrame) -> pd.DataFrame:
    """One row per tag as text, in the order of the yaml."""
    rows = []
    for tag in learned.tags:
        share, retained, jaccard = (float(stability.loc[tag.name, each]) for each in ("share", "retained", "jaccard"))
        rows.append(
            {
                "tag": tag.label,
                "definition": tag.definition,
                "rule": learned.rule(tag),
                "window": tag.window,
                "customers": f"{int(stability.loc[tag.name, 'customers']):,}",
                "share": percent(share),
                "still tagged": percent(retained),
                "Jaccard": percent(jaccard),
                "name": tag.name,
            }
        )
    return pd.DataFrame(rows)


def _summary(names: list[str], shares: list[float]) -> list[str]:
    if not names:
        return ["No tag is available in this data."]
    most = max(zip(shares, names, strict=True))
    return [f"{len(names)} tags; the most common, {most[1]}, is that of {percent(most[0])} of the customers."]
