"""The page of the uplift task: does the ranking find those whom a coupon brings, and where do coupons go?"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from omniretail.metrics.names import label
from omniretail.metrics.uplift import curves
from omniretail.o2o.uplift.evaluate import CampaignFindings
from omniretail.report.pages.sections import Section, write_sections
from omniretail.report.plots.captions import Plot
from omniretail.report.plots.style import GRID, canvas, line_styles, styled
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

METRIC_NOTES = (
    "Qini: area between the curve of customers gained and a random order, in additional buyers per 100 customers sent "
    "a coupon; 0 is a random order.",
    "AUUC: area under the uplift curve; a random order has half the average effect.",
    "Uplift@10: buyers with the coupon minus buyers without it, per 100 customers, among the best-ranked 10 %; sure "
    "things@10: of these 100, buyers without it.",
    "95 %: with other customers of the same campaign (bootstrap).",
)
COUPON_NOTES = (
    "Estimated from the ranked customers who were, at random, sent a coupon (buy) and those who were not (sure things, "
    "who would buy without it); persuadables buy because of it.",
)
_RANDOM_AUC = 0.55
"""Above it, a classifier predicts who was sent a coupon, so it was not sent at random."""


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write metrics, the Qini curve and where coupons go.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``o2o.uplift``.
        card: of the dataset.
    """
    findings: CampaignFindings = evaluation.findings
    result, learned = findings.result, findings.learned
    write_sections(
        path,
        title=f"Who buys because of the coupon: {result.model}",
        card=card,
        sentences=sentences(card, findings),
        sections=[
            Section("Metrics", metric_cells(result), METRIC_NOTES),
            Section("Where 100 coupons go", coupon_cells(findings.coupons), COUPON_NOTES),
        ],
        terms={
            "Campaigns": result.protocol["split"],
            "Learned from": f"{len(learned):,} rows, {learned.rows.shape[1]} features",
            "Judged by": f"{len(findings.judged):,} customers",
            "Sent at random?": f"AUC {result.counts['balance_auc']:.3f} of predicting who was sent a coupon",
            "Parameters": result.parameters,
        },
        plots=[
            Plot(
                "qini",
                "Customers gained",
                "The best-ranked share of customers is sent a coupon: additional buyers, in per cent of all customers. "
                "The dotted line is a random order.",
                qini_plot(findings),
            )
        ],
    )


def sentences(card: DatasetCard, findings: CampaignFindings) -> list[str]:
    """What a reader must know first."""
    judged, result = findings.judged, findings.result
    treated, control = (judged.y[group].mean() for group in (judged.treated, ~judged.treated))
    row = result.metrics.set_index("metric").loc["qini"]
    order = (
        "is better than" if row.low > 0 else "is worse than" if row.high < 0 else "does not differ significantly from"
    )
    texts = [
        f"{card.title}: of {judged.treated.sum():,} customers sent the coupon {treated:.1%} bought while it ran, of "
        f"{(~judged.treated).sum():,} not sent it {control:.1%}: it brought {100 * (treated - control):.1f} buyers per "
        "100.",
        f"{result.model} {order} a random order; it learned from {len(findings.learned):,} rows of "
        f"{findings.learned.n_campaigns} earlier campaigns.",
    ]
    if result.counts["balance_auc"] > _RANDOM_AUC:
        texts.append(
            f"A classifier predicts from the features who was sent a coupon (AUC {result.counts['balance_auc']:.2f}; "
            ".5 is random): it was not sent at random, so differences may come from who was chosen. Do not read them "
            "as effects."
        )
    return texts


def metric_cells(result: Result) -> pd.DataFrame:
    """One row per metric, per 100 customers, as text."""
    rows = [
        [label(row["metric"]), _signed(100 * row["value"]), _interval(100 * row["low"], 100 * row["high"])]
        for row in result.metrics.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["metric", "per 100 customers", "95 %"])


def coupon_cells(coupons: pd.DataFrame) -> pd.DataFrame:
    """One row per share of customers, as text."""
    rows = [
        [f"best {100 * row['share']:g} %", *(f"{row[name]:.1f}" for name in ("buy", "sure_things", "persuadables"))]
        for row in coupons.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["sent to", "buy", "sure things", "persuadables"])


@styled
def qini_plot(findings: CampaignFindings) -> Figure:
    """Customers gained against the share of customers who get a coupon."""
    figure, (axes,) = canvas(height=3.6, columns=1)
    name = findings.result.model
    curve = curves(findings.judged.y, findings.judged.treated, findings.score)
    axes.plot(curve.share, curve.gain, color=line_styles([name], None)[name].colour, linewidth=1.5, label=name)
    axes.plot([0, 1], [0, curve.gain[-1]], color=GRID, linewidth=1, linestyle=":", zorder=0, label="random order")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.set_xlabel("customers sent a coupon")
    axes.set_ylabel("additional buyers")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _interval(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{_signed(low)} to {_signed(high)}"
