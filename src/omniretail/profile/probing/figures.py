"""What an encoder was found to know: the unit that reports compare and tracking keeps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from omniretail.metrics.classification import auc
from omniretail.profile.probing.cross_fitting import ProbePredictions

BLEND = "blend"
"""The mean of what all probes say: the figure of a question, so that none is picked afterwards."""
_RESAMPLES, _COLUMNS_AT_ONCE = 200, 50


@dataclass(frozen=True)
class ProbeResult:
    """One encoder questioned at one stage.

    Attributes:
        model: its name for people.
        stage: ``val`` or ``test``.
        figures: one row per question and probe: ``question, figure, probe, value, seed_sd, low, high, customers,
            classes``; the value is the mean over deals of the customers into folds, low and high hold 95 % of what it
            would be with other customers.
        answers: ``question, class, user_id, truth, score``: what the blend says, the mean over deals.
        left_out: per question, why customers or classes are missing, counted.
        dim: D.
        fit_s: seconds to fit.
        embed_s: seconds to embed all customers.
        peak_memory_mb: highest resident memory while fitting and embedding, MiB.
        run_id: the MLflow run behind it; empty before it is tracked.
        settings: the protocol.
    """

    model: str
    stage: str
    figures: pd.DataFrame
    answers: pd.DataFrame
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    dim: int = 0
    fit_s: float = 0.0
    embed_s: float = 0.0
    peak_memory_mb: float = 0.0
    run_id: str = ""
    settings: dict[str, str] = field(default_factory=dict)


def figures_of(answers: Sequence[ProbePredictions], user_ids: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures and answers, as ``ProbeResult`` keeps them.

    Args:
        answers: one per question.
        user_ids: raw ids of all U customers.
    """
    rows, said = [], []
    for each in answers:
        if not len(each.rows) or not each.target.classes:
            continue
        blend = np.mean(list(each.by_probe.values()), axis=0)  # (S, N, T)
        for probe, scores in {BLEND: blend, **each.by_probe}.items():
            rows.append(_figure(each, probe, scores))
        said.append(_long(each, blend.mean(axis=0), user_ids))
    return pd.DataFrame(rows), pd.concat(said, ignore_index=True)


@dataclass(frozen=True)
class Answered:
    """What was asked and said of one question.

    Attributes:
        kind: ``amount``, or empty where it is of facts and events; as ``measure`` takes it.
        users: raw ids; shape (N,).
        truth: shape (N, T).
        score: shape (N, T).
    """

    kind: str
    users: np.ndarray
    truth: np.ndarray
    score: np.ndarray


def answered(result: ProbeResult, question: str) -> Answered:
    """The answers that a result keeps to one question, in the order in which it keeps them."""
    figures, said = (each[each.question == question] for each in (result.figures, result.answers))
    t = int(figures.classes.iloc[0])
    truth, score = (np.asarray(said[name], dtype=np.float64).reshape(-1, t) for name in ("truth", "score"))
    kind = "amount" if (figures.figure == "spearman").any() else ""
    return Answered(kind, said.user_id.to_numpy()[::t], truth, score)


def measure(kind: str, truth: np.ndarray, scores: np.ndarray) -> float:
    """Macro AUC of facts and events, Spearman's rank correlation of amounts; NaN where it is not defined.

    Args:
        kind: of the question.
        truth: shape (N, T).
        scores: shape (N, T).
    """
    if kind == "amount":
        if np.ptp(truth) == 0 or np.ptp(scores) == 0:
            return float("nan")
        return float(stats.spearmanr(truth[:, 0], scores[:, 0]).statistic)  # type: ignore[attr-defined]
    each = auc(truth, scores)
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def _figure(answers: ProbePredictions, probe: str, scores: np.ndarray) -> dict[str, object]:
    target, truth = answers.target, answers.truth
    values = [measure(target.kind, truth, deal) for deal in scores]
    low, high = _interval(target.kind, truth, scores) if probe == BLEND else (np.nan, np.nan)
    return {
        "question": target.name,
        "figure": "spearman" if target.kind == "amount" else "auc",
        "probe": probe,
        "value": float(np.mean(values)),
        "seed_sd": float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
        "low": low,
        "high": high,
        "customers": len(answers.rows),
        "classes": len(target.classes),
    }


def _interval(kind: str, truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Percentile bootstrap over customers; of all deals where their columns are few, else of the first."""
    deals = scores if scores.shape[0] * scores.shape[2] <= _COLUMNS_AT_ONCE else scores[:1]
    rng = np.random.default_rng(0)
    values = []
    for _ in range(_RESAMPLES):
        drawn = rng.integers(len(truth), size=len(truth))
        values.append(np.mean([measure(kind, truth[drawn], deal[drawn]) for deal in deals]))
    if not np.isfinite(values).any():  # everybody answers alike
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def _long(answers: ProbePredictions, scores: np.ndarray, user_ids: np.ndarray) -> pd.DataFrame:
    n, t = scores.shape
    return pd.DataFrame(
        {
            "question": answers.target.name,
            "class": np.tile(np.array(answers.target.classes, dtype=object), n),
            "user_id": np.repeat(user_ids[answers.rows], t),
            "truth": answers.truth.ravel().astype(np.float32),
            "score": scores.ravel().astype(np.float32),
        }
    ).astype({"question": "category", "class": "category"})
