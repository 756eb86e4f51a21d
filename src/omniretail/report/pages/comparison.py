"""The page of a comparison of any task, or of one run of a task without a page of its own."""

from collections.abc import Mapping, Sequence

import pandas as pd

from omniretail.metrics.names import group_label, label
from omniretail.report.charts.of_comparison import charts
from omniretail.report.charts.qini import qini_chart
from omniretail.report.charts.style import LineStyle, line_styles
from omniretail.report.charts.sweep import curves
from omniretail.report.pages.in_words import in_words
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.format import figure, interval
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
_MAX_QINI = 12


def comparison_page(
    results: Sequence[Result],
    table: pd.DataFrame,
    card: DatasetCard,
    drops: Mapping[str, int],
    verdicts: Sequence[str] = (),
    further: Sequence[Section] = (),
) -> Page:
    """The page: verdicts, table, charts, what was judged, runs.

    Args:
        results: of which ``comparison`` made the table.
        table: from ``comparison``.
        card: of the dataset.
        drops: rows left out by reason.
        verdicts: sentences that open the page.
        further: sections after the charts.
    """
    several, named = len(table) > 1, merged(results)
    swept = curves(table, named, {name: group[0].model for name, group in by_name(results).items()}) if several else []
    edges = [sentence for sentence in (curve.edge() for curve in swept) if sentence]
    drawn = [curve.chart() for curve in swept] + _qini(named, table) + list(charts(table, named))
    sections = [Section("The comparison" if several else "The result", tables=[_table(table)])]
    if drawn:
        sections.append(Section("Charts", charts=drawn))
    runs = Section("Runs behind this page", tables=[Table(_runs(results))], closed=True)
    left_out = " · ".join(f"{reason} {count:,}" for reason, count in drops.items())
    return Page(
        title=f"{card.title}: " + (f"{len(table)} models compared" if several else str(table.index[0])),
        card=card,
        sentences=[*(verdicts or _single(table)), *edges],
        sections=[*sections, *further, runs],
        terms=protocol_terms(results[0]) | _counts(results[0]),
        notes=[f"Rows left out, by reason: {left_out}"] if left_out else [],
    )


def protocol_terms(result: Result) -> dict[str, str]:
    """Every setting that was equal for all results, in words: those of every task first."""
    names = [*NAMES, *(name for name in result.protocol if name not in NAMES)]
    return {
        _heading(name, NAMES): in_words(result.protocol[name]) or "none" for name in names if result.protocol.get(name)
    }


def _table(table: pd.DataFrame) -> Table:
    several = len(table) > 1
    styles: dict[str, LineStyle] = line_styles(list(map(str, table.index)), baseline_of(table)) if several else {}
    return Table.of_text(text_table(table), styles)


def _single(table: pd.DataFrame) -> list[str]:
    """The primary metric of one model, in a sentence."""
    if len(table) > 1:
        return []
    row, primary = table.iloc[0], shown_metrics(table)[0]
    low, high = float(row[f"{primary}_low"]), float(row[f"{primary}_high"])
    ends = f" (95 % interval {interval(low, high)})" if low == low else ""
    return [f"{table.index[0]}: {label(primary)} {figure(float(row[primary]))}{ends}, over {row.units:,} {row.unit}."]


def _qini(named: Mapping[str, Result], table: pd.DataFrame) -> list:
    """The curves of rankings of one campaign, where that is what was compared."""
    shown = {str(name): named[str(name)].per_unit for name in table.index[:_MAX_QINI]}
    if not all({"treated", "y", "score"} <= {*rows.columns} for rows in shown.values()):
        return []
    first = next(iter(shown.values()))
    scores = {name: rows.score.to_numpy(float) for name, rows in shown.items()}
    return [qini_chart(first.y.to_numpy(float), first.treated.to_numpy(bool), scores, baseline_of(table))]


def _counts(result: Result) -> dict[str, str]:
    texts = {name: f"{n:,.0f}" if n == round(n) else f"{n:,.4f}" for name, n in result.counts.items()}
    return {_heading(name, _COUNTS): text for name, text in texts.items()}


def _heading(name: str, headings: Mapping[str, str]) -> str:
    return headings.get(name, group_label(name).capitalize())


def _runs(results: Sequence[Result]) -> pd.DataFrame:
    rows = [
        (name, str(run.seed), run.run_id or "not tracked", run.parameters)
        for name, group in by_name(results).items()
        for run in group
    ]
    return pd.DataFrame(rows, columns=["model", "seed", "run", "settings"])
