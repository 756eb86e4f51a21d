"""The end of a search: the best trial is printed, judged on test, written down, registered and shown on a page."""

import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from optuna.study import Study
from optuna.trial import FrozenTrial
from rich.console import Console

from omniretail.config import command
from omniretail.dataset import Dataset
from omniretail.report.pages.index import Entry, add_to_index
from omniretail.report.tables.text_table import TextTable
from omniretail.result import Result
from omniretail.search.edges import at_the_edge
from omniretail.search.page import write_search_page
from omniretail.search.settings import SearchSettings
from omniretail.search.space import Dimension
from omniretail.search.study import best_of, objective_names, values_of
from omniretail.search.summary import seed_cells, trial_cells, what_was_searched
from omniretail.search.winner import Winner, judge, registered, winner_of, write_settings
from omniretail.tracking import TrackedRun

_SHOWN = 10


@dataclass(frozen=True)
class Ending:
    """A study whose trials are done.

    Attributes:
        cfg: composed from ``configs/search.yaml``.
        model: as it is written after ``model=``.
        label: of the model, for people.
        settings: of the search.
        space: what was searched.
        study: with its trials.
        data: on which.
        run: the run above the trials.
    """

    cfg: DictConfig
    model: str
    label: str
    settings: SearchSettings
    space: Sequence[Dimension]
    study: Study
    data: Dataset
    run: TrackedRun

    def finish(self) -> float:
        """Do all of it; the best value of the first objective on validation is returned.

        Raises:
            SettingsError: where no trial has finished.
        """
        winner, default = winner_of(best_of(self.study, self.settings.trial)), self._default()
        sentences = what_was_searched(self.study, self.label, winner, default, self.settings.pruning.by)
        sentences += at_the_edge(self.cfg, self.space, winner.params)
        console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
        self._show(console, sentences)
        results = judge(self.cfg, self.settings, self.study, winner) if self.settings.seeds else []
        after = self._write_winner(winner, default, results)
        if results:
            console.print(TextTable(seed_cells(results, self._judged_by(results))).terminal(console.width))
        for sentence in after:
            print(sentence)
        page = self._write_page([*sentences, *after], results)
        self._record(page, winner, results, [*sentences, *after])
        print(f"\nPage: {command('python')} -m webbrowser {page}\nrun_id={self.run.run_id}", flush=True)
        return float(values_of(winner.trial)[0])

    def _default(self) -> FrozenTrial | None:
        """The trial of the model's defaults, if it has finished."""
        first = self.study.get_trials(deepcopy=False)[0]
        return first if values_of(first) and "fixed_params" in first.system_attrs else None

    def _show(self, console: Console, sentences: Sequence[str]) -> None:
        several = len(self.settings.objective) > 1
        trials = self.study.best_trials if several else self.study.get_trials(deepcopy=False)
        cells = trial_cells(self.study, trials)
        rest = len(cells) - _SHOWN
        notes = ["No other trial is better in one objective and as good in the others."] if several else []
        notes += [f"{rest} further trials are on the page."] if rest > 0 else []
        console.print()
        console.print(TextTable(cells.head(_SHOWN), notes).terminal(console.width))
        for sentence in sentences:
            print(sentence)

    def _write_winner(self, winner: Winner, default: FrozenTrial | None, results: Sequence[Result]) -> list[str]:
        sentences = []
        if self.settings.tuned_dir is not None:
            path = Path(self.settings.tuned_dir) / self.cfg.dataset / f"{self.model}.yaml"
            write_settings(path, winner, self.study, values_of(default)[0] if default else None)
            sentences.append(f"the winner's settings are in {path}")
        if self.settings.register is not None:
            sentences.append(registered(self.cfg, self.settings.register, results))
        return sentences

    def _judged_by(self, results: Sequence[Result]) -> list[str]:
        """The primary metric of the task, the objectives, and the metrics that its tables show."""
        values = results[0].values()
        wanted = dict.fromkeys([self.cfg.report.primary, *objective_names(self.study), *self.cfg.report.metrics])
        return [name for name in wanted if name in values]

    def _write_page(self, sentences: Sequence[str], results: Sequence[Result]) -> Path:
        name = re.sub(r"[^\w.-]+", "_", f"{self.cfg.dataset}_search_{self.label}_{self.settings.sampler}")
        path = Path(self.cfg.report.html).parent / f"{name}.html"
        cells = seed_cells(results, self._judged_by(results)) if results else None
        card, (metric, *_), value = (
            self.data.tables.card,
            objective_names(self.study),
            values_of(best_of(self.study))[0],
        )
        write_search_page(path, self.study, self.label, self.space, card, sentences, cells)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(path.name, made, card.title, "search", self.label, "val", metric, value, self.run.run_id)
        add_to_index(path.parent, entry)
        return path

    def _record(self, page: Path, winner: Winner, results: Sequence[Result], sentences: Sequence[str]) -> None:
        names = [f"val/{name}" for name in objective_names(self.study)]
        metrics = dict(zip(names, values_of(winner.trial), strict=True))
        for name in self._judged_by(results) if results else ():
            values = [result.value(name) for result in results]
            metrics[f"test/{name}"] = float(np.mean(values))
            if len(values) > 1:
                metrics[f"test/{name}_sd"] = float(np.std(values, ddof=1))
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report"
            report.mkdir()
            (report / page.name).write_bytes(page.read_bytes())
            trial_cells(self.study, self.study.get_trials(deepcopy=False)).to_csv(report / "trials.csv", index=False)
            self.run.record(Path(folder), {name: value for name, value in metrics.items() if np.isfinite(value)})
        self.run.describe("\n\n".join(sentences))
