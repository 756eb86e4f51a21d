"""Results of one protocol beside each other: printed, as a page, as CSV, as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pandas as pd
from rich.console import Console

from omniretail.report.pages.comparison import write_html
from omniretail.report.tables.comparison import comparison, to_csv
from omniretail.report.tables.format import cells, verdict
from omniretail.report.tables.render import markdown, terminal
from omniretail.result import Result
from omniretail.schema import DatasetCard


@dataclass(frozen=True)
class Report:
    """What a comparison shows: the section ``report`` of the settings.

    Attributes:
        primary: key of the metric that models are ordered and tested by.
        metrics: keys or patterns of keys (``*/auc``) to show beside it.
        tested: keys or patterns of further metrics whose best is tested against the others.
        baseline: the model that every other must beat.
        reference: a model that the best is compared with in a sentence.
        html: where a sweep writes its page.
    """

    primary: str
    metrics: Sequence[str] = ()
    tested: Sequence[str] = ()
    baseline: str | None = None
    reference: str | None = None
    html: str = ""

    def compare(self, results: Sequence[Result], card: DatasetCard, drops: Mapping[str, int]) -> "Comparison":
        """The comparison of results of one protocol.

        Raises:
            ValueError: where protocols differ, or a metric was not measured.
        """
        table = comparison(results, self.metrics, self.primary, self.baseline, self.tested)
        return Comparison(results, table, self, card, drops)


@dataclass(frozen=True)
class Comparison:
    """Results judged under one protocol.

    Attributes:
        results: one per run.
        table: from ``report.tables.comparison``.
        report: what is shown.
        card: of the dataset.
        drops: rows left out of the data, by reason.
    """

    results: Sequence[Result]
    table: pd.DataFrame
    report: Report
    card: DatasetCard
    drops: Mapping[str, int] = field(default_factory=dict)

    def show(self, console: Console) -> None:
        """Print the table, how to read it, and whether anything beats the reference."""
        console.print(f"\n[bold]{self.card.title}[/bold] · {self.results[0].protocol.get('split', '')}\n")
        console.print(terminal(self.table, console.width))
        if self.report.reference in self.table.index and len(self.table) > 1:
            console.print(verdict(self.table, str(self.report.reference)))
        if self.card.note:
            console.print(self.card.note, style="italic")

    def __str__(self) -> str:
        """The table and how to read it, as a terminal shows it."""
        console = Console(width=110, highlight=False, record=True, file=StringIO())
        self.show(console)
        return console.export_text()

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        return cells(self.table).to_html(index=False, border=0)

    def markdown(self) -> str:
        """The table for a README."""
        return markdown(self.table)

    def to_csv(self, path: Path) -> None:
        """Write the table, every digit."""
        to_csv(self.table, path)

    def write_html(self, path: Path) -> None:
        """Write the page with the plots."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_html(path, self.results, self.table, self.card, self.drops)
