"""The page of the cross-channel task."""

from pathlib import Path

import pandas as pd

from omniretail.metrics.significance import ALPHA
from omniretail.recommendation.cross_channel.scorecard import verdict, warnings
from omniretail.report.charts.bars import signed
from omniretail.report.charts.chart import Chart
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.format import difference, figure, probability
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

_HEADINGS = {
    "ndcg_alone": "alone NDCG@10",
    "ndcg_both": "both NDCG@10",
    "hit_rate_alone": "alone HR@10",
    "hit_rate_both": "both HR@10",
}
_NOTES = (
    "alone: the model knows the target channel's log only. both: it knows the other channel's log as well. Only the "
    "target's items are ranked.",
    "NDCG@10 and HR@10 are means over judged customers; gain is the difference in NDCG@10 with its 95 % interval "
    "(bootstrap over customers).",
    "all items: the whole target catalogue is ranked. negatives: the held-out item among that many random items, as "
    "papers do; such figures are far higher and say less.",
    "new here: customers drawn at random whose events in the target were forgotten, in training too; alone, they get "
    "the popular list.",
    "p: paired t-test over customers, Holm-corrected over the protocols of the group; bold where both channels are "
    f"significantly better (p < {ALPHA}), ▼ where they are significantly worse.",
)


def write_page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write what the other channel changes, for each group of customers.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``CrossChannel``.
        card: of the dataset.
    """
    result, scorecard = evaluation.result, evaluation.findings
    target = result.protocol["target_channel"]
    Page(
        title=f"{card.title}: does the other channel help {target}?",
        card=card,
        sentences=verdict(scorecard),
        warnings=warnings(scorecard, target, result.model),
        sections=[
            Section("What the other channel changes", charts=[_chart(scorecard)]),
            Section("By group of customers", tables=[_table(scorecard)]),
        ],
        terms=protocol_terms(result),
    ).write(path)


def _chart(scorecard: pd.DataFrame) -> Chart:
    rows = {
        "name": scorecard.group.str.replace("_", " "),
        "part": scorecard.protocol.str.replace("_", " "),
        "value": scorecard.gain,
        "low": scorecard.gain_low,
        "high": scorecard.gain_high,
    }
    caption = "Right of zero the other channel helps; bars are 95 % intervals (bootstrap over customers)."
    return signed(pd.DataFrame(rows), "Gain by group of customers", caption, "gain in NDCG@10")


def _table(scorecard: pd.DataFrame) -> Table:
    rows, bold = [], set()
    for place, row in enumerate(scorecard.to_dict("records")):
        significant = row["p_holm"] < ALPHA
        if significant and row["gain"] > 0:
            bold.add((place, 4))
        worse = " ▼" if significant and row["gain"] < 0 else ""
        ends = f"({difference(row['gain_low'])} to {difference(row['gain_high'])})"
        figures = {heading: figure(row[name]) for name, heading in _HEADINGS.items()}
        figures["both NDCG@10"] += worse
        rows.append(
            {
                "customers": row["group"].replace("_", " "),
                "ranked": row["protocol"].replace("_", " "),
                "judged": f"{row['customers']:,}",
                **{heading: figures[heading] for heading in list(figures)[:2]},
                "gain (95 %)": f"{difference(row['gain'])} {ends}",
                "p": probability(row["p_holm"]),
                **{heading: figures[heading] for heading in list(figures)[2:]},
            }
        )
    return Table(pd.DataFrame(rows), _NOTES, frozenset(bold))
