"""The page of the uplift task: does the ranking find those whom a coupon brings, and where do coupons go?"""

from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.metrics.names import label
from omniretail.metrics.uplift import uplift_at
from omniretail.o2o.uplift.evaluate import CampaignFindings
from omniretail.report.charts.qini import qini_chart
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.files import write_beside
from omniretail.report.pages.in_words import parameters_in_words
from omniretail.report.pages.page import Page, Section, Table
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
_N_CUSTOMERS = 20


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write metrics, the Qini curve and where coupons go; the ranked customers go into a CSV file beside the page.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``o2o.uplift``.
        card: of the dataset.
    """
    findings: CampaignFindings = evaluation.findings
    result, learned = findings.result, findings.learned
    curve = qini_chart(findings.judged.y, findings.judged.treated, {result.model: findings.score})
    Page(
        title=f"Who buys because of the coupon: {result.model}",
        card=card,
        sentences=sentences(card, findings),
        warnings=_warnings(result),
        sections=[
            Section("Does the ranking work?", tables=[Table(metric_cells(result), METRIC_NOTES)], charts=[curve]),
            Section("Where 100 coupons go", tables=[Table(coupon_cells(findings.coupons), COUPON_NOTES)]),
            _customers(path, findings),
        ],
        terms={
            "Campaigns": result.protocol["split"],
            "Learned from": f"{len(learned):,} rows, {learned.rows.shape[1]} features",
            "Judged by": f"{len(findings.judged):,} customers",
            "Sent at random?": f"AUC {result.counts['balance_auc']:.3f} of predicting who was sent a coupon",
            "Parameters": parameters_in_words(result.parameters),
        }
        | {name: words for name, words in protocol_terms(result).items() if name != "Split"},
    ).write(path)


def sentences(card: DatasetCard, findings: CampaignFindings) -> list[str]:
    """What a reader must know first."""
    judged, result = findings.judged, findings.result
    treated, control = (judged.y[group].mean() for group in (judged.treated, ~judged.treated))
    return [
        f"{_order(findings)}; it learned from {len(findings.learned):,} rows of {findings.learned.n_campaigns} earlier "
        "campaigns.",
        f"{card.title}: of {judged.treated.sum():,} customers sent the coupon {treated:.1%} bought while it ran, of "
        f"{(~judged.treated).sum():,} not sent it {control:.1%}: it brought {100 * (treated - control):.1f} buyers per "
        "100.",
        *_best_tenth(result, float(treated - control), findings),
    ]


def _order(findings: CampaignFindings) -> str:
    """How the whole order stands to a random one."""
    row = findings.result.metrics.set_index("metric").loc["qini"]
    order = (
        "is better than" if row.low > 0 else "is worse than" if row.high < 0 else "does not differ significantly from"
    )
    return f"Over the whole order, {findings.result.model} {order} a random order"


def _best_tenth(result: Result, average: float, findings: CampaignFindings) -> list[str]:
    """Whether the best-ranked tenth, to whom coupons go first, gains more than a random tenth."""
    values = result.values()
    best = values.get("uplift_at_10", uplift_at(findings.judged.y, findings.judged.treated, findings.score, 0.1))
    if not np.isfinite(best):
        return []
    than = "more" if best > average else "less"
    but = "" if best > average else ", so do not send coupons by this ranking to so few"
    return [
        f"Its best tenth gains {100 * best:.1f} buyers per 100 coupons, {than} than the {100 * average:.1f} of a "
        f"random tenth{but}."
    ]


def _warnings(result: Result) -> list[str]:
    if result.counts["balance_auc"] <= _RANDOM_AUC:
        return []
    return [
        f"A classifier predicts from the features who was sent a coupon (AUC {result.counts['balance_auc']:.2f}; "
        ".5 is random): it was not sent at random, so differences may come from who was chosen. Do not read them "
        "as effects."
    ]


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


def ranked_customers(findings: CampaignFindings) -> pd.DataFrame:
    """Customers in the order in which coupons go to them: ``rank, user_id, score, best_percent``."""
    index = findings.judged.rows.index
    ids = index.get_level_values("user_id") if "user_id" in index.names else index
    order = np.argsort(-findings.score, kind="stable")
    rank = np.arange(1, len(order) + 1)
    share = np.ceil(100 * rank / len(order)).astype(int)
    return pd.DataFrame({"rank": rank, "user_id": ids[order], "score": findings.score[order], "best_percent": share})


def _customers(path: Path, findings: CampaignFindings) -> Section:
    ranked = ranked_customers(findings)
    file = write_beside(path, "customers", ranked)
    shown = ranked.head(_N_CUSTOMERS)
    cells = pd.DataFrame(
        {
            "customer": shown.user_id.astype(str),
            "rank": shown["rank"].astype(str),
            "score": shown.score.map("{:.4f}".format),
        }
    )
    note = f"The first {len(shown)} of {len(ranked):,} customers."
    return Section("Whom to send it to", tables=[Table(cells, [note])], file=file)


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _interval(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{_signed(low)} to {_signed(high)}"
