"""A comparison of any task as one HTML file that needs no network and no script."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from omniretail.metrics.names import group_label
from omniretail.report.pages.templates import rendered
from omniretail.report.plots.captions import Plot, plots
from omniretail.report.plots.style import LineStyle, line_styles, svg
from omniretail.report.tables.comparison import baseline_of
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.protocol import NAMES, by_name, merged
from omniretail.result import Result
from omniretail.schema import DatasetCard

_COUNTS = {
    "users_without_history": "… of them without a history",
    "held_out_items": "Held-out items, summed over users",
    "repeat_items": "… of them in the user's history",
    "cold_items": "… of them first seen after the cutoff",
    "catalogue_items": "Items ranked",
}
"""Of counts that say more in other words than those of their key."""


def write_html(
    path: Path,
    results: Sequence[Result],
    table: pd.DataFrame,
    card: DatasetCard,
    drops: Mapping[str, int],
    verdicts: Sequence[str] = (),
) -> None:
    """Write the page: verdicts, table, what was judged, plots, runs.

    Args:
        path: the file to write.
        results: of which ``comparison`` made the table.
        table: from ``comparison``.
        card: of the dataset.
        drops: rows left out by reason.
        verdicts: sentences that open the page.
    """
    models = f"{len(table)} models compared" if len(table) > 1 else str(table.index[0])
    page = rendered(
        "comparison",
        title=f"{card.title}: {models}",
        verdicts=verdicts,
        table=text_table(table),
        styles=_styles(table),
        data=card,
        protocol=_protocol(results[0]) | _counts(results[0]),
        drops=dict(drops),
        plots=[_drawn(plot) for plot in plots(table, merged(results))],
        runs=_runs(results),
    )
    path.write_text(page, encoding="utf-8")


def _styles(table: pd.DataFrame) -> dict[str, LineStyle]:
    """Name -> symbol and colour in the plots; none where nothing is compared."""
    return line_styles(list(table.index), baseline_of(table)) if len(table) > 1 else {}


def _protocol(result: Result) -> dict[str, str]:
    """Every setting that was equal for all results, in words: those of every task first."""
    names = [*NAMES, *(name for name in result.protocol if name not in NAMES)]
    return {_heading(name, NAMES): result.protocol[name] for name in names if result.protocol.get(name)}


def _counts(result: Result) -> dict[str, str]:
    texts = {name: f"{n:,.0f}" if n == round(n) else f"{n:,.4f}" for name, n in result.counts.items()}
    return {_heading(name, _COUNTS): text for name, text in texts.items()}


def _heading(name: str, headings: Mapping[str, str]) -> str:
    return headings.get(name, group_label(name).capitalize())


def _drawn(plot: Plot) -> dict[str, str]:
    return {"title": plot.title, "caption": plot.caption, "svg": svg(plot.figure, plot.name, plot.title)}


def _runs(results: Sequence[Result]) -> list[dict[str, str]]:
    return [
        {"name": name, "seed": str(run.seed), "run_id": run.run_id or "not tracked"}
        for name, group in by_name(results).items()
        for run in group
    ]
