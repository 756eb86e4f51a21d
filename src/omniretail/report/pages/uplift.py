"""Uplift for people: which ranking finds those whom a coupon brings, on the terminal and as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.table import Table

from omniretail.metrics.uplift import curves
from omniretail.o2o.uplift.experiment_rows import Experiment
from omniretail.report.pages.templates import rendered
from omniretail.report.plots.style import GRID, canvas, line_styles, styled, svg
from omniretail.schema import DatasetCard

LEGEND = (
    "Qini: area between the curve of customers gained and a random order, in additional buyers per 100 customers sent "
    "a coupon; 0 is a random order.",
    "AUUC: area under the uplift curve; a random order has half the average effect.",
    "Brackets: where the figure would likely fall with other customers of the same kind (95 %, bootstrap).",
    "Best 10 %: buyers with the coupon minus buyers without it, per 100 customers, among the best-ranked tenth.",
)
_COUPONS = ("ranking", "sent to", "of 100 coupons: buy", "would have anyway", "buy because of it")
_SHOWN = ("buy", "buy_anyway", "because")
_UNFAIR = 0.55


def sentences(
    card: DatasetCard, learned: Experiment, judged: Experiment, rankings: pd.DataFrame, told: float
) -> list[str]:
    """What a reader must know first."""
    sent, kept = (judged.y[group].mean() for group in (judged.treated, ~judged.treated))
    said = [
        f"{card.title}: of {judged.treated.sum():,} customers sent the coupon {sent:.1%} bought in its time, of "
        f"{(~judged.treated).sum():,} not sent it {kept:.1%}: it brought {100 * (sent - kept):.1f} buyers per 100.",
        f"Learned from {len(learned):,} rows of {len(np.unique(learned.offer_id))} earlier campaigns.",
    ]
    sure = rankings[rankings.qini_low > 0].ranking.tolist()
    said.append(f"Surely better than a random order: {', '.join(sure) if sure else 'none'}.")
    if told > _UNFAIR:
        said.append(
            f"Who was sent a coupon can be told from the features (AUC {told:.2f}; .5 is chance): it was not sent at "
            "random, so differences may come from who was chosen. Do not read them as effects."
        )
    return said


def uplift_terminal(
    card: DatasetCard,
    learned: Experiment,
    judged: Experiment,
    rankings: pd.DataFrame,
    coupons: pd.DataFrame,
    told: float,
) -> list[Table | str]:
    """The same for a terminal."""
    parts: list[Table | str] = [*sentences(card, learned, judged, rankings, told)]
    for headings, rows in ((_headings(rankings), _rows(rankings)), (_COUPONS, _coupon_rows(coupons))):
        table = Table()
        for place, name in enumerate(headings):
            table.add_column(name, justify="right" if place else "left")
        for row in rows:
            table.add_row(*row)
        parts.append(table)
    return [*parts, *LEGEND, *([card.note] if card.note else [])]


def write_uplift(
    path: Path,
    card: DatasetCard,
    learned: Experiment,
    judged: Experiment,
    scores: Mapping[str, np.ndarray],
    rankings: pd.DataFrame,
    coupons: pd.DataFrame,
    told: float,
) -> None:
    """Write the page.

    Args:
        path: the file to write; its folder is made.
        card: of the data.
        learned: rows behind the rankings.
        judged: rows they are held against; N of them.
        scores: name -> score; each of shape (N,).
        rankings: from ``ranking_figures``.
        coupons: from ``coupon_figures``.
        told: from ``balance``.
    """
    page = rendered(
        "uplift",
        data=card,
        title="Who buys because of the coupon",
        sentences=sentences(card, learned, judged, rankings, told),
        headings=_headings(rankings),
        rows=_rows(rankings),
        legend=LEGEND,
        plot=svg(qini_plot(judged, {name: scores[name] for name in rankings.ranking}), "qini", "Customers gained"),
        coupon_headings=_COUPONS,
        coupons=_coupon_rows(coupons),
        facts={
            "Learned from": f"{len(learned):,} rows, {learned.x.shape[1]} features",
            "Judged by": f"{len(judged):,} customers of campaign {judged.offer_id[0]}",
            "Told from the features who was sent a coupon": f"AUC {told:.3f}",
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


@styled
def qini_plot(judged: Experiment, scores: Mapping[str, np.ndarray]) -> Figure:
    """Customers gained by each ranking against the share of customers who get a coupon.

    Args:
        judged: N rows.
        scores: name -> score, in the order of the legend; each of shape (N,).
    """
    plot, (axes,) = canvas(height=3.6, columns=1)
    look = line_styles(list(scores), floor="Chance")
    for name, score in scores.items():
        found = curves(judged.y, judged.treated, score)
        axes.plot(found.share, found.gain, color=look[name].colour, linewidth=1.5, label=name)
        axes.plot([0, 1], [0, found.gain[-1]], color=GRID, linewidth=1, linestyle=":", zorder=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.set_xlabel("customers sent a coupon")
    axes.set_ylabel("additional buyers")
    axes.legend(frameon=False, fontsize=8)
    return plot


def _headings(rankings: pd.DataFrame) -> list[str]:
    best = [f"best {name.removeprefix('uplift_at_')} %" for name in rankings if str(name).startswith("uplift_at_")]
    return ["ranking", "Qini", "", "AUUC", *best]


def _rows(rankings: pd.DataFrame) -> list[Sequence[str]]:
    at = [name for name in rankings if str(name).startswith("uplift_at_")]
    return [
        [
            row["ranking"],
            _signed(100 * row["qini"], 2),
            f"[{_signed(100 * row['qini_low'], 2)}, {_signed(100 * row['qini_high'], 2)}]",
            _signed(100 * row["auuc"], 2),
            *(_signed(100 * row[name], 1) for name in at),
        ]
        for row in rankings.to_dict("records")
    ]


def _signed(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".replace("-", "−")


def _coupon_rows(coupons: pd.DataFrame) -> list[Sequence[str]]:
    return [
        [row["ranking"], f"best {100 * row['share']:g} %", *(f"{row[name]:.1f}" for name in _SHOWN)]
        for row in coupons.sort_values(["share", "because"], ascending=[True, False]).to_dict("records")
    ]
