"""Metrics of probe predictions, with intervals and with resamples for paired tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from omniretail.metrics.classification import auc
from omniretail.profile.probing.cross_fitting import ProbePredictions
from omniretail.result import key, metric_rows

MEAN = "mean"
"""The mean over questions of AUC and rank correlation."""
_INTERVAL_RESAMPLES, _TEST_RESAMPLES = 200, 100
_MAX_COLUMNS = 50
_95 = stats.norm.ppf(0.975)


def metric_of(kind: str) -> str:
    """The metric of a question: ``auc`` of attributes and events, ``spearman`` of amounts."""
    return "spearman" if kind == "amount" else "auc"


def score(kind: str, truth: np.ndarray, scores: np.ndarray) -> float:
    """Macro AUC of attributes and events, Spearman's rank correlation of amounts; NaN where undefined.

    Args:
        kind: of the question.
        truth: shape (N, T).
        scores: shape (N, T).
    """
    if kind == "amount":
        if np.ptp(truth) == 0 or np.ptp(scores) == 0:
            return float("nan")
        correlation: Any = stats.spearmanr(truth[:, 0], scores[:, 0])
        return float(correlation.statistic)
    per_class = auc(truth, scores)
    return float(np.nanmean(per_class)) if np.isfinite(per_class).any() else float("nan")


def question_metrics(predictions: ProbePredictions) -> pd.DataFrame:
    """Rows of ``Result.metrics`` of one question.

    The blend of the probes under ``auc`` or ``spearman`` with its 95 % interval, each probe's own as in ``auc_linear``,
    and ``…_seed_sd``, the standard deviation of the blend over seeds. All are means over seeds.
    """
    kind, truth = predictions.target.kind, predictions.truth
    name = metric_of(kind)
    blend = [score(kind, truth, one_seed) for one_seed in predictions.blend]
    own = {
        f"{name}_{probe}": float(np.mean([score(kind, truth, one_seed) for one_seed in scores]))
        for probe, scores in predictions.by_probe.items()
    }
    sd = {f"{name}_seed_sd": float(np.std(blend, ddof=1))} if len(blend) > 1 else {}
    low, high = _interval(kind, truth, predictions.blend)
    values = {name: float(np.mean(blend)), **own, **sd}
    return metric_rows(values, predictions.target.name, {name: low}, {name: high})


def resampled_metrics(predictions: Sequence[ProbePredictions], n_customers: int) -> pd.DataFrame:
    """Bootstrap over customers of each question's blend and of the mean over questions.

    The draws depend on the number of customers alone, so they are the same for every encoder and every question.

    Args:
        predictions: one per question.
        n_customers: U.

    Returns:
        100 rows; columns are keys of metrics.
    """
    rng = np.random.default_rng(0)
    draws = [rng.integers(n_customers, size=n_customers) for _ in range(_TEST_RESAMPLES)]
    columns = {
        key(each.target.name, metric_of(each.target.kind)): _resampled(each, draws, n_customers) for each in predictions
    }
    frame = pd.DataFrame(columns, index=range(_TEST_RESAMPLES))
    return frame.assign(**{MEAN: frame.mean(axis=1)})


def mean_metric(metrics: pd.DataFrame, resampled: pd.DataFrame) -> pd.DataFrame:
    """The row of the mean over questions, with a normal 95 % interval by the bootstrap.

    Args:
        metrics: of all questions, from ``question_metrics``.
        resampled: from ``resampled_metrics``.
    """
    blends = metrics["value"].to_numpy(float)[metrics["metric"].isin(["auc", "spearman"]).to_numpy()]
    value = float(np.nanmean(blends)) if np.isfinite(blends).any() else np.nan
    half = _95 * float(np.std(resampled[MEAN].to_numpy(float), ddof=1))
    return metric_rows({MEAN: value}, low={MEAN: value - half}, high={MEAN: value + half})


def predictions_table(predictions: Sequence[ProbePredictions], user_ids: np.ndarray) -> pd.DataFrame:
    """The blend of the probes, mean over seeds: ``question, class, user_id, truth, score``.

    Args:
        predictions: one per question.
        user_ids: raw ids of all U customers.
    """
    parts = []
    for each in predictions:
        n, t = each.truth.shape
        columns = {
            "question": each.target.name,
            "class": np.tile(np.array(each.target.classes, dtype=object), n),
            "user_id": np.repeat(user_ids[each.rows], t),
            "truth": each.truth.ravel().astype(np.float32),
            "score": each.blend.mean(axis=0).ravel().astype(np.float32),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True).astype({"question": "category", "class": "category"})


def _resampled(predictions: ProbePredictions, draws: Sequence[np.ndarray], n_customers: int) -> np.ndarray:
    place = np.full(n_customers, -1)
    place[predictions.rows] = np.arange(len(predictions.rows))
    kind, truth = predictions.target.kind, predictions.truth
    scores = predictions.blend.mean(axis=0).astype(np.float32)  # (N, T)
    drawn = (place[draw][place[draw] >= 0] for draw in draws)
    return np.array([score(kind, truth[rows], scores[rows]) if len(rows) else np.nan for rows in drawn])


def _interval(kind: str, truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Percentile bootstrap over customers of the mean over seeds; with many classes of the first seed alone."""
    seeds = scores if scores.shape[0] * scores.shape[2] <= _MAX_COLUMNS else scores[:1]
    rng = np.random.default_rng(0)
    values = []
    for _ in range(_INTERVAL_RESAMPLES):
        drawn = rng.integers(len(truth), size=len(truth))
        values.append(np.mean([score(kind, truth[drawn], one_seed[drawn]) for one_seed in seeds]))
    if not np.isfinite(values).any():  # all labels are equal
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
