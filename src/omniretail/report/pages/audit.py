"""The page of the leak audit: which views stay unchanged when the future changes, and what a leak is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from omniretail.audit.detect import Finding
from omniretail.report.charts.models import accuracy
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.leaks import audit_cells, audit_sentences, leaks
from omniretail.schema import DatasetCard


def write_audit(path: Path, findings: Sequence[Finding], worth: Mapping[str, pd.DataFrame], card: DatasetCard) -> None:
    """Write the page.

    Args:
        path: the file to write; its folder is made.
        findings: from ``audit``.
        worth: comparisons of a response model with and without each leak, by the model's name.
        card: of the dataset.
    """
    *others, verdict = audit_sentences(findings)
    leaking = dict.fromkeys(each.view for each in leaks(findings))
    views = Table(
        audit_cells(findings), ["Bit-identical: the view is the same to the last bit, whatever happens later."]
    )
    Page(
        title=f"{card.title}: does anything from the future reach a view?",
        card=card,
        sentences=[f"{len(leaking)} views leak: {', '.join(leaking)}." if leaking else verdict],
        warnings=[each for each in (*others, verdict) if each.startswith("LEAK")],
        sections=[
            Section("Views", [each for each in others if not each.startswith("LEAK")], [views]),
            *(
                Section(
                    f"What a leak is worth to {name}",
                    tables=[Table.of_text(text_table(table))],
                    charts=[accuracy(table)],
                )
                for name, table in worth.items()
            ),
        ],
    ).write(path)
