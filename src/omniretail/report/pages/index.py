"""The list of all pages and runs made so far, as index.html beside the pages."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from filelock import FileLock

from omniretail.metrics.names import label, lower_is_better
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.format import NOTHING, figure
from omniretail.result import Result

_JOURNAL = "runs.jsonl"
_MOST = 2000
"""Newest entries that the list shows."""


@dataclass(frozen=True)
class Entry:
    """One run, sweep or comparison.

    Attributes:
        page: name of its file.
        made: UTC, to the second, ISO 8601.
        dataset: its title.
        task: name of the task.
        models: one, or the best and how many there are.
        stage: ``val`` or ``test``.
        metric: key of the primary metric; empty where there is none.
        value: of the model, or of the best.
        run_id: the MLflow run behind it; empty where it was not tracked.
    """

    page: str
    made: str
    dataset: str
    task: str
    models: str
    stage: str = ""
    metric: str = ""
    value: float | None = None
    run_id: str = ""


def entry_of(page: Path, dataset: str, results: Sequence[Result], metric: str, run_id: str = "") -> Entry:
    """The entry of a page about one result or several.

    Args:
        page: its file.
        dataset: its title.
        results: what the page shows.
        metric: key of the primary metric.
        run_id: of a sweep; empty: that of the first result.
    """
    known = [each for each in results if each.values().get(metric, float("nan")) == each.values().get(metric)]
    best = (
        (min if lower_is_better(metric) else max)(known, key=lambda each: each.value(metric)) if known else results[0]
    )
    names = list(dict.fromkeys(each.model for each in results))
    models = best.model if len(results) == 1 else f"{best.model} first of {len(results)} ({', '.join(names[:8])})"
    value = best.values().get(metric)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(page.name, made, dataset, best.task, models, best.stage, metric, value, run_id or best.run_id)


def add_to_index(folder: Path, entry: Entry) -> Path:
    """Add an entry to the folder's list and write index.html anew; several processes may do so at once.

    Args:
        folder: of the pages.
        entry: what was made.

    Returns:
        The list's file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{_JOURNAL}.lock", timeout=60):
        with (folder / _JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(asdict(entry), ensure_ascii=False, allow_nan=True) + "\n")
        temporary = folder / ".index.html.new"
        temporary.write_text(index_page(folder, entries(folder)).html(), encoding="utf-8")
        return temporary.replace(folder / "index.html")


def entries(folder: Path) -> list[Entry]:
    """What the folder's list holds, newest first; a line that was cut off is passed over."""
    listed = []
    for line in (folder / _JOURNAL).read_text(encoding="utf-8").splitlines():
        try:
            listed.append(Entry(**json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            continue
    return sorted(listed, key=lambda each: each.made)[::-1]


def index_page(folder: Path, made: Sequence[Entry]) -> Page:
    """The page; a row has a link where its page is still there and no later run has written over it."""
    latest: dict[str, Entry] = {}
    for each in made:
        latest.setdefault(each.page, each)
    links = [each.page if latest[each.page] is each and (folder / each.page).exists() else "" for each in made]
    rows = [_row(each, bool(link)) for each, link in zip(made, links, strict=True)]
    cells = pd.DataFrame(rows, columns=["model", "dataset", "task", "result", "made (UTC)", "stage", "run"])
    shown = f" Shown: the newest {_MOST:,}." if len(made) > _MOST else ""
    return Page(
        title="All pages",
        sentences=[
            f"{len(made):,} runs, sweeps and comparisons, newest first; {sum(map(bool, links)):,} with a page.{shown}"
        ],
        sections=[
            Section("By dataset and task", tables=[_summary(made, links)]),
            Section("Everything", tables=[Table(cells.head(_MOST), links=links[:_MOST])]),
        ],
        top=False,
    )


def _row(entry: Entry, there: bool) -> tuple[str, ...]:
    value = f"{label(entry.metric)} {figure(entry.value)}" if entry.metric and entry.value is not None else NOTHING
    models = entry.models if there else f"{entry.models} (page deleted or written over)"
    return (
        models,
        entry.dataset,
        entry.task.replace("_", " "),
        value,
        entry.made[:19].replace("T", " "),
        entry.stage,
        entry.run_id,
    )


def _summary(made: Sequence[Entry], links: Sequence[str]) -> Table:
    """A row per dataset and task, with a link to its newest page."""
    groups: dict[tuple[str, str], list[tuple[Entry, str]]] = {}
    for each, link in zip(made, links, strict=True):
        groups.setdefault((each.dataset, each.task), []).append((each, link))
    rows, newest = [], []
    for (dataset, task), group in groups.items():
        rows.append(
            (f"{dataset}: {task.replace('_', ' ')}", str(len(group)), group[0][0].models, group[0][0].made[:10])
        )
        newest.append(next((link for _, link in group if link), ""))
    return Table(pd.DataFrame(rows, columns=["dataset and task", "runs", "newest", "on"]), links=newest)
