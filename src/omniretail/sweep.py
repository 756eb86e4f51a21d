"""Any set of runs as tables and pages; a sweep gets them by itself when it ends."""

import atexit
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from omniretail import tracking
from omniretail.config import command
from omniretail.config_errors import sentence
from omniretail.core.errors import SettingsError
from omniretail.report.compare import Comparison, Report
from omniretail.report.tables.protocol import by_name
from omniretail.result import Result
from omniretail.run import stages_of
from omniretail.sweep_jobs import check_jobs
from omniretail.tracking.job_failures import failures, forget_failures


def compare(uri: str, run_ids: Sequence[str], stage: str, **settings: Any) -> list[Comparison]:
    """Read runs back and put those of one protocol into one table each.

    Args:
        uri: the tracking store.
        run_ids: runs, or sweeps, which stand for their children.
        stage: ``val`` or ``test``.
        settings: fields of ``Report`` in place of what the runs' task says; None: as the task says.

    Raises:
        MissingError: where a run or its results are not there.
        SettingsError: where a metric was not measured.
    """
    single = [child for run_id in run_ids for child in tracking.children(uri, run_id)]
    groups: dict[tuple, list[Result]] = {}
    for result in [tracking.load_result(uri, run_id, stage) for run_id in dict.fromkeys(single)]:
        groups.setdefault(tuple(sorted(result.protocol.items())), []).append(result)
    wanted = {name: value for name, value in settings.items() if value is not None}
    return [_compared(group, uri, wanted) for group in groups.values()]


def _compared(group: Sequence[Result], uri: str, settings: dict[str, Any]) -> Comparison:
    first = group[0].run_id
    report: Any = OmegaConf.to_container(tracking.load_config(uri, first).report)
    data = tracking.load_data_summary(uri, first)
    compared = Report(**{**report, **settings}).compare(group, data.card, data.drops)
    return replace(compared, lists=_lists(compared, uri))


def _lists(compared: Comparison, uri: str) -> dict[str, pd.DataFrame]:
    """Example lists of the two best, by run id; empty for tasks that make no lists."""
    groups = by_name(compared.results)
    runs = [groups[str(name)][0] for name in compared.table.index[:2]]
    tables = {run.run_id: tracking.load_table(uri, run.run_id, run.stage, "examples") for run in runs}
    return {run_id: table for run_id, table in tables.items() if table is not None}


class SweepReport(Callback):
    """Hydra's hook around ``train.py -m``: opens the sweep's run, and ends it with a table and a page."""

    def on_multirun_start(self, config: DictConfig, **kwargs: object) -> None:
        """Check what every job and the report need, and open the run whose children the jobs become."""
        self.ending = ExitStack()
        where = [Path(s.path).name for s in config.hydra.runtime.config_sources if s.provider == "command-line"]
        name = " ".join([*where, *config.hydra.overrides.task])
        settings = {"swept": name, "evaluate": str(config.evaluate)}
        try:  # another exception than SystemExit would be a warning to Hydra, and the jobs would start
            check_jobs(config)
            opened = tracking.tracked(config.tracking.uri, config.tracking.experiment, f"sweep {name}"[:250], settings)
            self.run = self.ending.enter_context(opened)
        except Exception as error:
            sys.exit(f"error: {sentence(error) or traceback.format_exc()}")
        forget_failures(Path(config.hydra.sweep.dir))
        self.ending.enter_context(tracking.sweep(self.run))
        atexit.register(self._abandon)

    def on_multirun_end(self, config: DictConfig, **kwargs: object) -> None:
        """Compare the children; fail where one of them or the report failed."""
        atexit.unregister(self._abandon)
        failed = list(failures(Path(config.hydra.sweep.dir), config.hydra.overrides.task))
        try:
            with self.ending:
                self._report(config)
        except Exception as error:
            failed.append(f"the report: {sentence(error) or traceback.format_exc()}")
        for line in failed:
            print(f"failed: {line}", file=sys.stderr)
        print(f"run_id={self.run.run_id}", flush=True)
        if failed:
            sys.exit(1)

    def _report(self, config: DictConfig) -> None:
        finished = [each for each in tracking.children(self.run.uri, self.run.run_id) if each != self.run.run_id]
        if not finished:
            raise SettingsError("no job has finished, so there is nothing to compare")
        console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
        for number, part in enumerate(compare(self.run.uri, finished, stages_of(config.evaluate)[-1])):
            page = Path(config.report.html)
            page = page.with_stem(f"{page.stem}_{number}") if number else page
            part.show(console)
            part.write_html(page)
            part.list_page(page, self.run.run_id)
            self.run.describe(part.markdown())
            self.run.add_file(page, "report")
            part.to_csv(page.with_suffix(".csv"))
            self.run.add_file(page.with_suffix(".csv"), "report")
            print(f"\nPlots and table:  {command('python')} -m webbrowser {page}")
            self.run.add_metrics(tracking.seed_metrics(part.results))
        print(f"Every run behind: {tracking.ui_command(self.run)}")

    def _abandon(self) -> None:
        with suppress(RuntimeError), self.ending:
            raise RuntimeError("the sweep was stopped before its end")

    def __getstate__(self) -> dict[str, object]:
        """Nothing: launchers send the callbacks to their workers, and only this process ends the sweep."""
        return {}
