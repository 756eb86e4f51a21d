"""Metrics of response models, with intervals from a bootstrap over customers."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.classification import (
    auc,
    auc_per_group,
    average_precision,
    brier,
    expected_calibration_error,
    log_loss,
)
from omniretail.result import key, metric_rows

RESAMPLED = ("auc", "auc_per_offer", "average_precision", "log_loss", "brier", "ece")
"""Metrics that are tested by the bootstrap over customers: mailings of one customer depend on each other."""

_MAX_OFFERS = 50
_MIN_REDEMPTIONS = 20
"""Of an offer with fewer the AUC is not tested: it depends on a few customers."""


def measured(predictions: pd.DataFrame, n_resamples: int = 500) -> dict[str, Any]:
    """The parts of a ``Result`` that hold its metrics.

    Args:
        predictions: ``user_id, offer_id, truth, score``: one row per mailing.
        n_resamples: behind the 95 % intervals: other customers and the same offers, each customer with all rows.

    Returns:
        ``per_unit`` indexed by ``user_id, offer_id``, ``metrics`` and ``resampled``. The 50 offers with most mailings
        also have an AUC of their own, with resamples where at least 20 customers redeemed the offer.
    """
    truth, score, offer = columns(predictions)
    groups = _groups(predictions)
    draw = draws(predictions, n_resamples)
    drawn = pd.DataFrame([measure(truth[rows], score[rows], offer[rows], groups) for rows in draw])
    whole = measure(truth, score, offer, groups)
    return {
        "per_unit": predictions.set_index(["user_id", "offer_id"]),
        "metrics": _rows(whole, drawn, groups),
        "resampled": drawn[[*RESAMPLED, *_tested(truth, offer, groups)]],
    }


def measure(truth: np.ndarray, score: np.ndarray, offer: np.ndarray, groups: Sequence[str] = ()) -> dict[str, float]:
    """Every metric of N predictions.

    Args:
        truth: 1 where the customer acted, else 0; shape (N,).
        score: probability; shape (N,).
        offer: number of the offer, from 0; shape (N,).
        groups: of each offer, the name of the group under which its own AUC is measured; empty: none.
    """
    return ranking(truth, score, offer, groups) | {
        "log_loss": log_loss(truth, score),
        "brier": brier(truth, score),
        "ece": expected_calibration_error(truth, score),
    }


def ranking(truth: np.ndarray, score: np.ndarray, offer: np.ndarray, groups: Sequence[str] = ()) -> dict[str, float]:
    """The metrics that depend on the order alone; ``auc_per_offer`` is the mean over offers that have both outcomes."""
    per_offer = auc_per_group(truth, score, offer)
    return {
        "auc": float(auc(truth[:, None], score[:, None])[0]),
        "auc_per_offer": float(np.nanmean(per_offer)) if np.isfinite(per_offer).any() else float("nan"),
        "average_precision": average_precision(truth, score),
        **{
            key(group, "auc"): float(per_offer[number]) if number < len(per_offer) else float("nan")
            for number, group in enumerate(groups)
            if group
        },
    }


def columns(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, score and number of the offer; each of shape (N,)."""
    return (
        predictions.truth.to_numpy(np.float64),
        predictions.score.to_numpy(np.float64),
        pd.factorize(predictions.offer_id, sort=True)[0],
    )


def draws(predictions: pd.DataFrame, n_resamples: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Rows of customers drawn with replacement, the same for every model evaluated on the same mailings."""
    customer = pd.factorize(predictions.user_id, sort=True)[0]
    order = np.argsort(customer, kind="stable")
    n = np.bincount(customer)
    start = np.cumsum(n) - n
    rng = np.random.default_rng(seed)
    for _ in range(n_resamples):
        drawn = rng.integers(len(n), size=len(n))
        first = np.repeat(start[drawn] - (np.cumsum(n[drawn]) - n[drawn]), n[drawn])
        yield order[np.arange(n[drawn].sum()) + first]


def require_probabilities(model: str, score: np.ndarray) -> None:
    """Refuse predictions that are no probabilities.

    Raises:
        SettingsError: naming the model.
    """
    if not (np.isfinite(score).all() and (score >= 0).all() and (score <= 1).all()):
        raise SettingsError(f"{model} predicts values that are no probabilities between 0 and 1")


def _groups(predictions: pd.DataFrame) -> list[str]:
    """Name of the group of each offer, in the order of ``columns``; empty beyond the largest 50, or for one alone."""
    ids = np.unique(predictions.offer_id)
    largest = set(predictions.offer_id.value_counts().index[:_MAX_OFFERS])
    return [f"offer_{offer}" if offer in largest and len(ids) > 1 else "" for offer in ids]


def _rows(whole: dict[str, float], drawn: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Rows of ``Result.metrics``: of all mailings, and the AUC of each offer that has both outcomes."""
    low, high = (drawn.quantile(end) for end in (0.025, 0.975))
    own = {key(group, "auc"): group for group in groups if group}
    rows = [metric_rows({name: value for name, value in whole.items() if name not in own}, "", low, high)]
    for name, group in own.items():
        if np.isfinite(whole[name]):
            rows.append(metric_rows({"auc": whole[name]}, group, {"auc": low[name]}, {"auc": high[name]}))
    return pd.concat(rows, ignore_index=True)


def _tested(truth: np.ndarray, offer: np.ndarray, groups: Sequence[str]) -> list[str]:
    """Keys of the AUC of offers with redemptions enough."""
    redeemed = np.bincount(offer, weights=truth)
    enough = [group for group, n in zip(groups, redeemed, strict=True) if group and n >= _MIN_REDEMPTIONS]
    return [key(group, "auc") for group in enough]
