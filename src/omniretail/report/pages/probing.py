"""The page of the probing task: what an encoder's embeddings know, question by question."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.profile.probing.metrics import MEAN
from omniretail.report.charts.chart import Chart
from omniretail.report.charts.models import intervals
from omniretail.report.charts.style import COLOURS, LineStyle
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.in_words import parameters_in_words
from omniretail.report.pages.page import Page, Section, Table
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
    questions = [str(question) for question in result.metrics["group"].unique() if question]
    cells = pd.DataFrame([_row(result, question) for question in questions], columns=HEADINGS)
    Page(
        title=f"What {result.model} knows about customers",
        card=card,
        sentences=_sentences(result, card, questions),
        sections=[Section("Questions", tables=[Table(cells, NOTES)], charts=_charts(result))],
        terms=_facts(result) | protocol_terms(result),
        notes=[
            f"Left out, {_words(question)}: {_counted(why)}." for question, why in left_out.items() if any(why.values())
        ],
    ).write(path)


def _sentences(result: Result, card: DatasetCard, questions: list[str]) -> list[str]:
    n, value = result.counts["customers"], result.value(MEAN)
    texts = [f"{card.title}: {n:,.0f} customers; the mean over all questions is {value:.3f}."]
    aucs = {each: result.values()[f"{each}/auc"] for each in questions if f"{each}/auc" in result.values()}
    if len(aucs) > 1:
        best, worst = max(aucs, key=aucs.__getitem__), min(aucs, key=aucs.__getitem__)
        texts.append(
            f"It knows {_words(best)} best (AUC {aucs[best]:.3f}) and {_words(worst)} least ({aucs[worst]:.3f})."
        )
    return texts


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


def _charts(result: Result) -> list[Chart]:
    """A row per question, for each of the two metrics."""
    drawn = []
    for metric, name in _METRICS.items():
        frame = pd.DataFrame(result.metrics[(result.metrics.metric == metric) & (result.metrics["group"] != "")])
        frame = frame.assign(question=frame["group"].map(_words))[["question", "value", "low", "high"]]
        if len(frame):
            styles = {each: LineStyle(COLOURS[0], "circle") for each in frame.question}
            caption = f"{name}: {'0.5' if metric == 'auc' else '0'} is chance, 1 is perfect. Bars are 95 % intervals."
            spec = intervals(pd.DataFrame(frame), "question", name, styles)
            drawn.append(Chart(f"{name} by question", caption, spec, 60 + 24 * len(frame)))
    return drawn


def _facts(result: Result) -> dict[str, str]:
    cost = result.cost
    return {
        "Encoder": result.model,
        "Settings": parameters_in_words(result.parameters),
        "Embedding": f"{cost['embedding_dim']:,.0f} numbers per customer",
        "Seconds": f"fit {cost['fit_s']:.1f}, embed {cost['score_s']:.1f}, probe {cost['probe_s']:.1f}",
    }


def _words(question: str) -> str:
    return question.replace("_", " ")


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _counted(why: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in why.items() if count)
