"""Making probabilities true: what was promised is held against what happened, and mended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from omniretail.metrics.classification import log_loss

N_FOLDS = 5
"""In which the customers are dealt to choose a calibrator."""
AT_LEAST = 100
"""Customers who do, and who do not, behind a calibrator of a class's own; classes with fewer share one."""
AT_LEAST_ISOTONIC = 200
"""The same, behind a step function: it overfits where a line does not (Niculescu-Mizil and Caruana, ICML 2005)."""


@dataclass(frozen=True)
class Calibrator:
    """A monotone curve from a probability to a truer one.

    Attributes:
        method: ``none``, ``platt``, ``isotonic`` or ``base rate``.
        x: where the curve has knots: ascending probabilities, or log odds for Platt's; shape (K,).
        y: the curve there, in the same unit; between knots it is straight; shape (K,).
    """

    method: str
    x: np.ndarray
    y: np.ndarray

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """The truer probabilities; any shape."""
        if self.method == "none":
            return probability
        if self.method == "platt":  # two knots at log odds of 0 and 1 give its line
            return expit(self.y[0] + (self.y[1] - self.y[0]) * _log_odds(probability))
        return np.interp(probability, self.x, self.y)


def uncalibrated() -> Calibrator:
    """Leaves probabilities as they are."""
    return Calibrator("none", np.zeros(0), np.zeros(0))


def base_rate(truth: np.ndarray) -> Calibrator:
    """One probability for everybody: the share that did, half a customer added to both sides.

    So that what never happened is not called impossible (Krichevsky and Trofimov, 1981).
    """
    rate = (truth.sum() + 0.5) / (len(truth) + 1)
    return Calibrator("base rate", np.zeros(1), np.full(1, rate))


def platt(probability: np.ndarray, truth: np.ndarray) -> Calibrator:
    """A line through the log odds (Platt, 1999); one that falls is replaced by the base rate.

    Args:
        probability: what was promised; shape (N,).
        truth: 0 or 1, both of them present; shape (N,).
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e4).fit(_log_odds(probability)[:, None], truth)
    slope, bias = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Calibrator("platt", np.array([0.0, 1.0]), np.array([bias, bias + slope])) if slope > 0 else base_rate(truth)


def isotonic(probability: np.ndarray, truth: np.ndarray) -> Calibrator:
    """The best rising step function (Zadrozny and Elkan, KDD 2002), never nearer to 0 or 1 than half a customer."""
    from sklearn.isotonic import IsotonicRegression

    least = 0.5 / (len(truth) + 1)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(probability, truth)
    return Calibrator("isotonic", fitted.X_thresholds_, fitted.y_thresholds_)


def chosen(probability: np.ndarray, truth: np.ndarray, seed: int = 0) -> Calibrator:
    """The calibrator with the least log loss on customers it was not fitted on; none where none helps.

    Args:
        probability: what was promised; shape (N,).
        truth: what happened, 0 or 1; shape (N,).
        seed: of the folds.
    """
    rarer = int(min(truth.sum(), len(truth) - truth.sum()))
    if rarer == 0:
        return base_rate(truth)
    if rarer < 2 * N_FOLDS:  # too few to tell what helps
        return uncalibrated()
    makers = {"platt": platt} | ({"isotonic": isotonic} if rarer >= AT_LEAST_ISOTONIC else {})
    losses = {"none": log_loss(truth, probability)}
    losses |= {name: _held_out_loss(make, probability, truth, seed) for name, make in makers.items()}
    best = min(losses, key=losses.__getitem__)
    return uncalibrated() if best == "none" else makers[best](probability, truth)


def chosen_per_class(probability: np.ndarray, truth: np.ndarray, seed: int = 0) -> list[Calibrator]:
    """One for each class; classes with too few customers share one that is fitted on all of theirs.

    Args:
        probability: shape (N, T).
        truth: shape (N, T).
        seed: of the folds.
    """
    rarer = np.minimum(truth.sum(axis=0), len(truth) - truth.sum(axis=0))
    few = (rarer < AT_LEAST) & (truth.shape[1] > 1)
    shared = chosen(probability[:, few].ravel(), truth[:, few].ravel(), seed) if few.any() else uncalibrated()
    return [
        shared if few[column] else chosen(probability[:, column], truth[:, column], seed)
        for column in range(truth.shape[1])
    ]


def calibrated(calibrators: Sequence[Calibrator], probability: np.ndarray) -> np.ndarray:
    """Each class by its own calibrator; shape (N, T)."""
    columns = [calibrate(column) for calibrate, column in zip(calibrators, probability.T, strict=True)]
    return np.stack(columns, axis=1) if columns else probability


def _held_out_loss(
    make: Callable[[np.ndarray, np.ndarray], Calibrator], probability: np.ndarray, truth: np.ndarray, seed: int
) -> float:
    """Log loss of every customer under a calibrator made of the others; noughts and ones are dealt evenly."""
    order = np.lexsort((np.random.default_rng(seed).random(len(truth)), truth))
    fold = np.empty(len(truth), dtype=np.int64)
    fold[order] = np.arange(len(truth)) % N_FOLDS
    answer = np.empty(len(truth))
    for each in range(N_FOLDS):
        answer[fold == each] = make(probability[fold != each], truth[fold != each])(probability[fold == each])
    return log_loss(truth, answer)


def _log_odds(probability: np.ndarray) -> np.ndarray:
    return logit(np.clip(probability, 1e-6, 1 - 1e-6))
