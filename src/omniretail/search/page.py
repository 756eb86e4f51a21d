"""The page of a search: what was found, how it went, and which settings matter."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from optuna.study import Study
from optuna.trial import TrialState

from omniretail.metrics.names import label
from omniretail.report.charts.chart import Chart
from omniretail.report.pages.page import Page, Section, Table
from omniretail.schema import DatasetCard
from omniretail.search import charts
from omniretail.search.space import Dimension, in_words, short_name, written
from omniretail.search.study import objective_names, values_of
from omniretail.search.summary import importances, trial_cells

_MOST = 200
"""Trials in the page's table and charts."""


def write_search_page(
    path: Path,
    study: Study,
    model: str,
    space: Sequence[Dimension],
    card: DatasetCard,
    sentences: Sequence[str],
    on_test: pd.DataFrame | None,
) -> None:
    """Write the page.

    Args:
        path: the file to write; its folder is made.
        study: with at least one finished trial.
        model: its name.
        space: what was searched.
        card: of the dataset.
        sentences: what was found.
        on_test: the winner's metrics, as text; None: test was not looked at.
    """
    sections = [] if on_test is None else [Section("The winner on test", tables=[Table(on_test)])]
    if len(study.directions) > 1:
        notes = ["No other trial is better in one objective and as good in the others."]
        sections.append(Section("Front", tables=[Table(trial_cells(study, study.best_trials), notes)]))
    cells = trial_cells(study, study.get_trials(deepcopy=False))
    most = f"The best {_MOST} of {len(cells)} trials; report/trials.csv of the run has all."
    sections += [
        Section("How it went", charts=list(_charts(study, space))),
        Section("Trials", tables=[Table(cells.head(_MOST), [most] if len(cells) > _MOST else [])]),
        Section("Space", tables=[Table(space_cells(space))]),
    ]
    terms = {"Study": study.study_name, "Objective": ", ".join(map(label, objective_names(study)))}
    Page(f"Search: {model}", card, sentences, sections, terms).write(path)


def space_cells(space: Sequence[Dimension]) -> pd.DataFrame:
    """What was searched, as text."""
    rows = []
    for each in space:
        values = (
            ", ".join(map(written, each.choices)) if each.choices else f"{written(each.low)} to {written(each.high)}"
        )
        rows.append({"setting": short_name(each.name), "values": values, "scale": "logarithmic" if each.log else ""})
    return pd.DataFrame(rows, columns=["setting", "values", "scale"])


def _charts(study: Study, space: Sequence[Dimension]) -> Iterator[Chart]:
    trials, minimized = _finished(study), study.directions[0].name == "MINIMIZE"
    names = [label(name) for name in objective_names(study)]
    yield charts.history(trials, names[0], minimized)
    if len(names) > 1:
        yield charts.front(trials, names)
    varied = [each for each in space if each.name in trials and len({*map(str, trials[each.name])}) > 1]
    if shares := importances(study):
        yield charts.importance({short_name(name): share for name, share in shares.items()}, names[0])
    yield from (charts.slice_of(each, trials, names[0]) for each in varied)
    if len(varied) > 1:
        yield charts.parallel(varied, trials, names[0], minimized)


def _finished(study: Study) -> pd.DataFrame:
    """Finished trials in their order, at most the first ``_MOST``, with their settings in columns of their own."""
    on_front = {each.number for each in study.best_trials}
    names = [label(name) for name in objective_names(study)]
    rows = [
        {"trial": each.number + 1, "value": values_of(each)[0], "settings": in_words(each.params)}
        | {"on_front": "on the front" if each.number in on_front else "beaten in every objective"}
        | dict(zip(names, values_of(each), strict=True))
        | each.params
        for each in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    ]
    return pd.DataFrame(rows)
