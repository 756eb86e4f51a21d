"""Any set of runs as tables and pages; a sweep gets them by itself when it ends."""

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console

from omniretail import tracking
from omniretail.o2o.offers.figures import OfferResult
from omniretail.profile.probing.figures import ProbeResult
from omniretail.report import comparison, markdown, terminal, to_csv, verdict, write_html
from omniretail.report.tables.offers import offer_cells, offer_comparison, offer_legend
from omniretail.report.tables.plain import plain_html, plain_markdown, plain_terminal
from omniretail.report.tables.probing import probe_cells, probe_comparison, probe_legend
from omniretail.report.tables.protocol import PROTOCOL
from omniretail.result import Result
from omniretail.tracking import DataFacts

REFERENCE = "PersonalTop"  # what a customer would buy anyway: a recommender that does not beat it is not needed


@dataclass(frozen=True)
class Compared:
    """Runs judged under one protocol.

    Attributes:
        results: one per run.
        table: from ``report.comparison``.
        data: what the runs say of their data.
    """

    results: list[Result]
    table: pd.DataFrame
    data: DataFacts

    def show(self, console: Console) -> None:
        """Print the table, how to read it, and whether anything beats the customer's own habits."""
        console.print(f"\n[bold]{self.data.card.title}[/bold] · {self.results[0].settings.get('split', '')}\n")
        console.print(terminal(self.table, console.width))
        if REFERENCE in self.table.index:
            console.print(verdict(self.table, REFERENCE))
        if self.data.card.note:
            console.print(self.data.card.note, style="italic")

    def markdown(self) -> str:
        """The table for a README."""
        return markdown(self.table)

    def to_csv(self, path: Path) -> None:
        """Keep the table, every digit."""
        to_csv(self.table, path)

    def write_html(self, path: Path) -> None:
        """Write the page with the plots."""
        path.parent.mkdir(parents=True, exist_ok=True)
        settings = self.results[0].settings
        protocol = {name.capitalize(): settings[name] for name in PROTOCOL if name in settings}
        write_html(path, self.results, self.table, self.data.card, protocol, self.data.drops)


@dataclass(frozen=True)
class PlainCompared:
    """Encoders or response models judged under one protocol; shown and kept like ``Compared``.

    Attributes:
        results: one per run.
        table: from ``probe_comparison`` or ``offer_comparison``.
        data: what the runs say of their data.
        what: the subject of the page's title.
        cells: the table as text.
        legend: how to read it, in sentences.
        index: whether the table's index is to be kept.
    """

    results: list[Any]
    table: pd.DataFrame
    data: DataFacts
    what: str
    cells: pd.DataFrame
    legend: list[str]
    index: bool

    def show(self, console: Console) -> None:
        """Print the table and how to read it."""
        console.print(f"\n[bold]{self.data.card.title}[/bold] · {self.results[0].settings.get('split', '')}\n")
        console.print(plain_terminal(self.cells))
        for sentence in [*self.legend, self.data.card.note]:
            console.print(sentence.replace("**", ""), style="dim")

    def markdown(self) -> str:
        """The table for a README."""
        return plain_markdown(self.cells, self.legend)

    def to_csv(self, path: Path) -> None:
        """Keep the table, every digit."""
        self.table.to_csv(path, index=self.index)

    def write_html(self, path: Path) -> None:
        """Write the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        title = f"{self.data.card.title}: {self.what}"
        path.write_text(plain_html(self.cells, self.legend, title, self.data.card), encoding="utf-8")


def compare(
    uri: str, run_ids: Sequence[str], stage: str, metrics: Sequence[str], primary: str, floor: str
) -> list[Compared | PlainCompared]:
    """Read runs back and put those of one protocol into one table each.

    Args:
        uri: the tracking store.
        run_ids: runs, or sweeps, which stand for their children.
        stage: ``val`` or ``test``.
        metrics: what to show beside the primary one.
        primary: what models are ordered and tested by.
        floor: the model that every other must beat.

    Raises:
        LookupError: where a run or its results are not there.
        ValueError: where a metric was not measured.
    """
    single = [child for run_id in run_ids for child in tracking.children(uri, run_id)]
    groups: dict[tuple, list[Any]] = {}
    for result in [tracking.load_result(uri, run_id, stage) for run_id in dict.fromkeys(single)]:
        protocol = tuple(result.settings.get(key) for key in ("data", "split", "policy"))
        groups.setdefault((type(result), *protocol), []).append(result)
    return [_compared(group, uri, metrics, primary, floor) for group in groups.values()]


def _compared(group: list[Any], uri: str, metrics: Sequence[str], primary: str, floor: str) -> Compared | PlainCompared:
    data = tracking.load_data_facts(uri, group[0].run_id)
    if isinstance(group[0], ProbeResult):
        table, what = probe_comparison(group), f"what {len(group)} embeddings know of customers"
        return PlainCompared(group, table, data, what, probe_cells(table), probe_legend(table), index=False)
    if isinstance(group[0], OfferResult):
        table, what = offer_comparison(group), "who acts on an offer"
        return PlainCompared(group, table, data, what, offer_cells(table), offer_legend(table), index=True)
    return Compared(group, comparison(group, metrics, primary, floor), data)


class SweepReport(Callback):
    """Hydra's hook around ``train.py -m``: opens the sweep's run, and ends it with a table and a page."""

    def on_multirun_start(self, config: DictConfig, **kwargs: object) -> None:
        """Open the run whose children the jobs become."""
        self.ending = ExitStack()
        where = [Path(s.path).name for s in config.hydra.runtime.config_sources if s.provider == "command-line"]
        name = " ".join([*where, *config.hydra.overrides.task])
        settings = {"swept": name, "evaluate": str(config.evaluate)}
        opened = tracking.tracked(config.tracking.uri, config.tracking.experiment, f"sweep {name}"[:250], settings)
        try:
            self.run = self.ending.enter_context(opened)
        except PermissionError as error:
            sys.exit(f"error: {error}")  # another exception would be a warning to Hydra, and the jobs would start
        self.ending.enter_context(tracking.sweep(self.run))
        atexit.register(self._abandon)

    def on_multirun_end(self, config: DictConfig, **kwargs: object) -> None:
        """Compare the children; fail where one of them failed."""
        atexit.unregister(self._abandon)
        failed = tracking.failed_children(self.run.uri, self.run.run_id)
        with self.ending:
            self._report(config)
        for name, error in failed.items():
            print(f"failed: {name}: {error}", file=sys.stderr)
        print(f"run_id={self.run.run_id}", flush=True)
        if failed:
            sys.exit(1)

    def _report(self, config: DictConfig) -> None:
        chosen, console = config.report, Console(width=None if sys.stdout.isatty() else 110, highlight=False)
        stage, primary = config.evaluate[-1], config.metrics.primary
        compared = compare(self.run.uri, [self.run.run_id], stage, chosen.metrics, primary, chosen.floor)
        for number, part in enumerate(compared):
            page = Path(chosen.html)
            page = page.with_stem(f"{page.stem}_{number}") if number else page
            part.show(console)
            part.write_html(page)
            self.run.describe(part.markdown())
            self.run.add_file(page, "report")
            part.to_csv(page.with_suffix(".csv"))
            self.run.add_file(page.with_suffix(".csv"), "report")
            print(f"\nPlots and table:  {_command('python')} -m webbrowser {page}")
        print(f"Every run behind: {_command('mlflow')} ui --backend-store-uri {self.run.uri}")

    def _abandon(self) -> None:
        self.run.end("FAILED")


def _command(name: str) -> str:
    """How to call a program of this environment from where the user stands."""
    beside = Path(sys.executable).parent / name
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else name
