"""The report as one HTML file that needs no network and no script."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from omniretail.report.pages.templates import rendered
from omniretail.report.plots.captions import Plot, plots
from omniretail.report.plots.style import line_styles, svg
from omniretail.report.tables.comparison import baseline_of
from omniretail.report.tables.format import cells, legend, verdict
from omniretail.report.tables.protocol import NAMES, by_name, merged
from omniretail.result import Result
from omniretail.schema import DatasetCard

_COUNTS = {
    "users_judged": "Users judged",
    "users_without_history": "… of them without a history",
    "held_out_items": "Held-out items, summed over users",
    "repeat_items": "… of them in the user's history",
    "cold_items": "… of them first seen after the cutoff",
    "catalogue_items": "Items ranked",
}


def write_html(
    path: Path,
    results: Sequence[Result],
    table: pd.DataFrame,
    card: DatasetCard,
    drops: Mapping[str, int],
    references: Sequence[str] = ("PersonalTop", "Popular"),
) -> None:
    """Write the page: verdicts, table, what was judged, plots.

    Args:
        path: the file to write.
        results: as given to ``comparison``.
        table: what ``comparison`` made of them.
        card: of the dataset.
        drops: rows left out by reason.
        references: models that the best is held against in a sentence; those not in the table are passed over.
    """
    page = rendered(
        "comparison",
        title=f"{card.title}: {len(table)} models compared",
        verdicts=[verdict(table, name) for name in references if name in table.index],
        columns=list(cells(table).columns),
        rows=_rows(table),
        legend=legend(table),
        data=card,
        facts=_protocol(results[0]) | _counts(results),
        drops=dict(drops),
        plots=[_drawn(plot) for plot in plots(table, merged(results))],
        runs=_runs(results),
    )
    path.write_text(page, encoding="utf-8")


def _rows(table: pd.DataFrame) -> list[dict]:
    baseline, own = baseline_of(table), line_styles(list(table.index), baseline_of(table))
    texts = cells(table).to_numpy().tolist()
    return [
        {"cells": row, "look": own[name], "is_baseline": name == baseline}
        for name, row in zip(table.index, texts, strict=True)
    ]


def _counts(results: Sequence[Result]) -> dict[str, str]:
    counts = results[0].counts  # one protocol, so the same for all
    return {label: f"{counts[key]:,.0f}" for key, label in _COUNTS.items() if key in counts}


def _protocol(result: Result) -> dict[str, str]:
    return {label: result.protocol[name] for name, label in NAMES.items() if result.protocol.get(name)}


def _drawn(plot: Plot) -> dict[str, str]:
    return {"title": plot.title, "caption": plot.caption, "svg": svg(plot.figure, plot.name, plot.title)}


def _runs(results: Sequence[Result]) -> list[dict[str, str]]:
    return [
        {"name": name, "seed": str(run.seed), "run_id": run.run_id or "not tracked"}
        for name, group in by_name(results).items()
        for run in group
    ]
