"""The page of the tags task: the table of tags, or one customer's card, or the portrait of a tag's customers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.profile.tags.evaluate import TagFindings
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.report.pages.customer import write_card, write_portrait
from omniretail.report.pages.templates import write_page
from omniretail.report.plots.bars import percent
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
        write_card(path, findings.card, context, card)
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
    rows = [_row(learned, stability, number) for number in range(len(learned.tags))]
    write_page(
        path,
        "tags",
        title="Tags",
        rows=rows,
        left_out=dict(learned.left_out),
        days=f"{days:g}",
        context=context,
        data=data,
    )


def _row(learned: LearnedTags, stability: pd.DataFrame, number: int) -> dict[str, Any]:
    """A tag as text, in the order of the yaml."""
    tag = learned.tags[number]
    share, retained, jaccard = (float(stability.loc[tag.name, each]) for each in ("share", "retained", "jaccard"))
    return {
        "name": tag.name,
        "label": tag.label,
        "definition": tag.definition,
        "window": tag.window,
        "rule": learned.rule(tag),
        "customers": f"{int(stability.loc[tag.name, 'customers']):,}",
        "share": percent(share),
        "retained": percent(retained),
        "jaccard": percent(jaccard),
        "width": round(100 * share, 1) if share == share else 0,
    }
