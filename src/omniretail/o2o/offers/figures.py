"""What a response model was found to be worth: the unit that reports compare and tracking keeps."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from omniretail.metrics.classification import (
    auc,
    auc_per_group,
    average_precision,
    brier,
    expected_calibration_error,
    log_loss,
)

RANKING = ("auc", "auc_per_offer", "average_precision")
"""The higher, the better."""
PROBABILITY = ("log_loss", "brier", "ece")
"""The lower, the better."""


@dataclass(frozen=True)
class OfferResult:
    """One response model judged at one stage.

    Attributes:
        model: its name for people.
        stage: ``val`` or ``test``.
        figures: one row per figure: ``figure, value, low, high``; low and high hold 95 % of what it would be with other
            customers and the same offers (bootstrap over customers, each with all their rows).
        answers: ``user_id, offer_id, truth, score``: one row per mailing judged.
        counts: rows, redemptions and offers learned from and judged.
        left_out: mailings and redemptions left out, by reason.
        fit_s: seconds to fit.
        score_s: seconds to answer.
        peak_memory_mb: highest resident memory while fitting and answering, MiB.
        run_id: the MLflow run behind it; empty before it is tracked.
        settings: the protocol.
    """

    model: str
    stage: str
    figures: pd.DataFrame
    answers: pd.DataFrame
    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    fit_s: float = 0.0
    score_s: float = 0.0
    peak_memory_mb: float = 0.0
    run_id: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    def value(self, figure: str) -> float:
        """One figure."""
        return float(self.figures.set_index("figure").value[figure])


def measure(truth: np.ndarray, score: np.ndarray, offer: np.ndarray) -> dict[str, float]:
    """All figures of N answers; ``auc_per_offer`` is the mean over offers that have both outcomes."""
    return ranking(truth, score, offer) | {
        "log_loss": log_loss(truth, score),
        "brier": brier(truth, score),
        "ece": expected_calibration_error(truth, score),
    }


def ranking(truth: np.ndarray, score: np.ndarray, offer: np.ndarray) -> dict[str, float]:
    """The figures that look at the order alone."""
    each = auc_per_group(truth, score, offer)
    return {
        "auc": float(auc(truth[:, None], score[:, None])[0]),
        "auc_per_offer": float(np.nanmean(each)) if np.isfinite(each).any() else float("nan"),
        "average_precision": average_precision(truth, score),
    }


def figures_of(answers: pd.DataFrame, n_resamples: int = 500) -> pd.DataFrame:
    """Figures with intervals, as ``OfferResult`` keeps them."""
    truth, score, offer = columns(answers)
    found = measure(truth, score, offer)
    drawn = pd.DataFrame([measure(truth[rows], score[rows], offer[rows]) for rows in draws(answers, n_resamples)])
    low, high = drawn.quantile([0.025, 0.975]).to_numpy()
    return pd.DataFrame({"figure": list(found), "value": list(found.values()), "low": low, "high": high})


def columns(answers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, score and the number of the offer; each of shape (N,)."""
    return (
        answers.truth.to_numpy(np.float64),
        answers.score.to_numpy(np.float64),
        pd.factorize(answers.offer_id, sort=True)[0],
    )


def draws(answers: pd.DataFrame, n_resamples: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Rows of customers drawn with replacement, the same for every model judged on the same mailings."""
    customer = pd.factorize(answers.user_id, sort=True)[0]
    order = np.argsort(customer, kind="stable")
    n = np.bincount(customer)
    start = np.cumsum(n) - n
    rng = np.random.default_rng(seed)
    for _ in range(n_resamples):
        drawn = rng.integers(len(n), size=len(n))
        first = np.repeat(start[drawn] - (np.cumsum(n[drawn]) - n[drawn]), n[drawn])
        yield order[np.arange(n[drawn].sum()) + first]
