"""Results of one protocol beside each other: printed, as a page, as CSV, as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path

import pandas as pd
from rich.console import Console

from omniretail.report.pages.comparison import comparison_page
from omniretail.report.pages.differences import differences
from omniretail.report.pages.in_words import in_words
from omniretail.report.pages.index import add_to_index, entry_of
from omniretail.report.pages.page import Page
from omniretail.report.tables.by_activity import Pairs, by_activity
from omniretail.report.tables.comparison import comparison
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.csv_files import ONLY, write_csv
from omniretail.report.tables.gain_tests import with_gain_tests
from omniretail.report.tables.protocol import merged, named_model
from omniretail.report.tables.verdict import ahead, verdict
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
            SettingsError: where protocols differ, or a metric was not measured.
        """
        table = comparison(results, self.metrics, self.primary, self.baseline, self.tested)
        return gains_tested([Comparison(results, table, self, card, drops)])[0]


def gains_tested(comparisons: "Sequence[Comparison]") -> "list[Comparison]":
    """Comparisons whose gains are tested, and corrected for being tested together; see ``with_gain_tests``."""
    tables = with_gain_tests([(each.table, merged(each.results)) for each in comparisons])
    return [replace(each, table=table) for each, table in zip(comparisons, tables, strict=True)]


@dataclass(frozen=True)
class Comparison:
    """Results judged under one protocol.

    Attributes:
        results: one per run.
        table: from ``report.tables.comparison``.
        report: what is shown.
        card: of the dataset.
        drops: rows left out of the data, by reason.
        lists: example lists of recommenders by run id, see ``recommendation.examples``.
    """

    results: Sequence[Result]
    table: pd.DataFrame
    report: Report
    card: DatasetCard
    drops: Mapping[str, int] = field(default_factory=dict)
    lists: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def show(self, console: Console) -> None:
        """Print the table, how to read it, and whether anything beats the reference or else the baseline."""
        console.print(f"\n[bold]{self.card.title}[/bold] · {in_words(self.results[0].protocol.get('split', ''))}\n")
        console.print(text_table(self.table).terminal(console.width))
        for sentence in self.verdicts()[:1]:
            console.print(sentence)
        if self.card.note:
            console.print(self.card.note, style="italic")

    def verdicts(self) -> list[str]:
        """Whether the best of several models beats the runner-up, the reference and the baseline, if present."""
        if len(self.table) < 2:
            return []
        others = dict.fromkeys([self.report.reference, self.report.baseline])
        first = [ahead(self.table)] if self.table.index[1] not in others else []
        return first + [verdict(self.table, str(name)) for name in others if name in self.table.index]

    def with_baseline(self, name: str) -> "Comparison":
        """The same against another baseline.

        Args:
            name: of a model in the table, or how it starts.

        Raises:
            SettingsError: where no model or several have such a name.
        """
        report = replace(self.report, baseline=named_model(name, list(self.table.index)))
        return replace(report.compare(self.results, self.card, self.drops), lists=self.lists)

    def by_activity(self, pairs: Pairs = (), against: str | None = None) -> pd.DataFrame:
        """The primary metric by the customer's activity; see ``report.tables.by_activity``."""
        return by_activity(self.results, self.report.primary, pairs, against)

    def __str__(self) -> str:
        """What ``show`` prints."""
        console = Console(width=110, highlight=False, record=True, file=StringIO())
        self.show(console)
        return console.export_text()

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        return text_table(self.table).cells.to_html(index=False, border=0)

    def markdown(self) -> str:
        """The table for a README."""
        return text_table(self.table).markdown()

    def to_csv(self, path: Path) -> None:
        """Write the table, every digit."""
        write_csv(path, {ONLY: self.table})

    def write_html(self, path: Path) -> None:
        """Write the page with the charts."""
        self.page().write(path)

    def list_page(self, path: Path, run_id: str = "") -> None:
        """Add the page to the list of all pages in its folder.

        Args:
            path: of the page.
            run_id: of the sweep; empty: of the first run.
        """
        add_to_index(path.parent, entry_of(path, self.card.title, self.results, self.report.primary, run_id))

    def page(self) -> Page:
        """The page."""
        further = differences(self.results, self.table, self.lists)
        return comparison_page(self.results, self.table, self.card, self.drops, self.verdicts(), further)
