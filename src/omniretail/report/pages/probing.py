"""The page of the probing task: what an encoder's embeddings know, question by question."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.profile.probing.metrics import MEAN
from omniretail.report.pages.templates import write_page
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

HEADINGS = ("question", "metric", "value", "95 % interval", "linear", "trees", "sd over seeds", "customers", "classes")
NOTES = (
    "AUC is the mean over classes (0.5 is chance), ρ Spearman's rank correlation (0 is chance). The value is that of "
    "the mean of both probes, a linear one and LightGBM; questions with many classes have the linear one alone.",
    "Attributes are predicted for other customers at the same cutoff. What happens in the window is learned in the "
    "window before, from other customers. 95 % interval: bootstrap over customers.",
)
_METRICS = {"auc": "AUC", "spearman": "ρ"}


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write a row per question.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.probing``.
        card: of the dataset.
    """
    result, left_out = evaluation.result, evaluation.findings
    write_page(
        path,
        "probing",
        title=f"What {result.model} knows about customers",
        sentences=[_sentence(result, card)],
        headings=HEADINGS,
        rows=[_row(result, str(question)) for question in result.metrics["group"].unique() if question],
        notes=NOTES,
        data=card,
        facts=_facts(result),
        left_out=[f"{_words(question)}: {_counted(why)}." for question, why in left_out.items() if any(why.values())],
    )


def _sentence(result: Result, card: DatasetCard) -> str:
    n, value = result.counts["customers"], result.value(MEAN)
    return f"{card.title}: {n:,.0f} customers; the mean over all questions is {value:.3f}."


def _row(result: Result, question: str) -> list[str]:
    rows = result.metrics[result.metrics["group"] == question]
    values = dict(zip(rows["metric"], rows["value"], strict=True))
    metric = next(name for name in _METRICS if name in values)
    low, high = pd.DataFrame(rows[["low", "high"]]).to_numpy()[list(values).index(metric)]
    return [
        _words(question),
        _METRICS[metric],
        _figure(values[metric]),
        f"{low:.3f}–{high:.3f}" if low == low else "–",
        *(_figure(values.get(f"{metric}_{part}", np.nan)) for part in ("linear", "trees", "seed_sd")),
        *(f"{result.counts[f'{question}/{count}']:,.0f}" for count in ("customers", "classes")),
    ]


def _facts(result: Result) -> dict[str, str]:
    cost = result.cost
    return {
        "Encoder": result.model,
        "Settings": result.parameters or "none",
        "Stage": result.stage,
        "Embedding": f"{cost['embedding_dim']:,.0f} numbers per customer",
        "Seconds": f"fit {cost['fit_s']:.1f}, embed {cost['score_s']:.1f}, probe {cost['probe_s']:.1f}",
    }


def _words(question: str) -> str:
    return question.replace("_", " ")


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _counted(why: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in why.items() if count)
