"""The page of the cross-channel task."""

from pathlib import Path

import pandas as pd

from omniretail.metrics.significance import ALPHA
from omniretail.recommendation.cross_channel.scorecard import verdict, warnings
from omniretail.report.pages.templates import rendered
from omniretail.report.tables.format import figure, probability
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation


def write_page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write what the other channel changes, for each group of customers.

    Args:
        path: the file to write.
        evaluation: of ``CrossChannel``.
        card: of the dataset.
    """
    result, scorecard = evaluation.result, evaluation.findings
    target = result.protocol["target_channel"]
    page = rendered(
        "channels",
        title=f"{card.title}: does the other channel help {target}?",
        verdict=verdict(scorecard),
        warnings=warnings(scorecard, target, result.model),
        groups=[(group, _rows(rows)) for group, rows in scorecard.groupby("group", sort=False)],
        alpha=ALPHA,
        protocol=result.protocol,
        data=card,
    )
    path.write_text(page, encoding="utf-8")


def _rows(rows: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "protocol": row["protocol"].replace("_", " "),
            "customers": f"{row['customers']:,}",
            **{name: figure(row[name]) for name in ("ndcg_alone", "ndcg_both", "hit_rate_alone", "hit_rate_both")},
            "gain": f"{row['gain']:+.4f} ({row['gain_low']:+.4f} to {row['gain_high']:+.4f})".replace("-", "−"),
            "p": probability(row["p_holm"]),
            "mark": "" if row["p_holm"] >= ALPHA else "better" if row["gain"] > 0 else "worse",
        }
        for row in rows.to_dict("records")
    ]
