"""Calibration: monotone curves from a probe's probability to the share of customers for whom the event happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from omniretail.metrics.classification import log_loss
from omniretail.profile.folds import stratified_folds

N_FOLDS = 5
"""Folds of customers in which a calibrator is chosen."""
MIN_OWN = 100
"""Positives, and negatives, behind a calibrator of a class's own; classes with fewer share one."""
MIN_ISOTONIC = 200
"""The same for a step function, which overfits where a line does not (Niculescu-Mizil and Caruana, ICML 2005)."""
_LEAST = 1e-6


@dataclass(frozen=True)
class Calibrator:
    """A monotone curve over probabilities.

    Attributes:
        method: ``none``, ``platt``, ``isotonic`` or ``base rate``.
        x: knots of the curve, ascending: probabilities, or log odds for Platt's; shape (K,).
        y: the curve at the knots, in the same unit; linear between them; shape (K,).
    """

    method: str
    x: np.ndarray
    y: np.ndarray

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """The calibrated probabilities; any shape."""
        if self.method == "none":
            return probability
        if self.method == "platt":  # knots at log odds of 0 and 1 define its line
            return expit(self.y[0] + (self.y[1] - self.y[0]) * _log_odds(probability))
        return np.interp(probability, self.x, self.y)


def uncalibrated() -> Calibrator:
    """Leaves probabilities as they are."""
    return Calibrator("none", np.zeros(0), np.zeros(0))


def base_rate(truth: np.ndarray) -> Calibrator:
    """One probability for everybody: the share of positives, with half a customer added to both sides.

    So an event without positives does not get probability 0 (Krichevsky and Trofimov, 1981).
    """
    rate = (truth.sum() + 0.5) / (len(truth) + 1)
    return Calibrator("base rate", np.zeros(1), np.full(1, rate))


def platt(probability: np.ndarray, truth: np.ndarray) -> Calibrator:
    """A line through the log odds (Platt, 1999); the base rate where the line falls.

    Args:
        probability: predicted; shape (N,).
        truth: 0 or 1, both of them present; shape (N,).
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e4).fit(_log_odds(probability)[:, None], truth)
    slope, bias = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Calibrator("platt", np.array([0.0, 1.0]), np.array([bias, bias + slope])) if slope > 0 else base_rate(truth)


def isotonic(probability: np.ndarray, truth: np.ndarray) -> Calibrator:
    """The best rising step function (Zadrozny and Elkan, KDD 2002), no closer to 0 or 1 than half a customer."""
    from sklearn.isotonic import IsotonicRegression

    least = 0.5 / (len(truth) + 1)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(probability, truth)
    return Calibrator("isotonic", fitted.X_thresholds_, fitted.y_thresholds_)


def best_calibrator(probability: np.ndarray, truth: np.ndarray, seed: int = 0) -> Calibrator:
    """The calibrator with the lowest cross-validated log loss; none where none lowers it.

    Args:
        probability: predicted; shape (N,).
        truth: 0 or 1; shape (N,).
        seed: of the folds.
    """
    rarer = int(min(truth.sum(), len(truth) - truth.sum()))
    if rarer == 0:
        return base_rate(truth)
    if rarer < 2 * N_FOLDS:  # too few to choose by
        return uncalibrated()
    methods = {"platt": platt} | ({"isotonic": isotonic} if rarer >= MIN_ISOTONIC else {})
    losses = {"none": log_loss(truth, probability)}
    losses |= {name: _validated_loss(method, probability, truth, seed) for name, method in methods.items()}
    best = min(losses, key=losses.__getitem__)
    return uncalibrated() if best == "none" else methods[best](probability, truth)


def best_calibrators(probability: np.ndarray, truth: np.ndarray, seed: int = 0) -> list[Calibrator]:
    """One per class; classes with too few customers share one that is fitted on all of theirs.

    Args:
        probability: shape (N, T).
        truth: shape (N, T).
        seed: of the folds.
    """
    rarer = np.minimum(truth.sum(axis=0), len(truth) - truth.sum(axis=0))
    few = (rarer < MIN_OWN) & (truth.shape[1] > 1)
    shared = best_calibrator(probability[:, few].ravel(), truth[:, few].ravel(), seed) if few.any() else uncalibrated()
    return [
        shared if few[column] else best_calibrator(probability[:, column], truth[:, column], seed)
        for column in range(truth.shape[1])
    ]


def calibrate(calibrators: Sequence[Calibrator], probability: np.ndarray) -> np.ndarray:
    """Each class by its own calibrator; shape (N, T)."""
    columns = [calibrator(column) for calibrator, column in zip(calibrators, probability.T, strict=True)]
    return clipped(np.stack(columns, axis=1) if columns else probability)


def clipped(probability: np.ndarray) -> np.ndarray:
    """Between one in a million and one less that; any shape."""
    return np.clip(probability, _LEAST, 1 - _LEAST)


def _validated_loss(
    method: Callable[[np.ndarray, np.ndarray], Calibrator], probability: np.ndarray, truth: np.ndarray, seed: int
) -> float:
    """Log loss of every customer under a calibrator fitted on the other folds."""
    fold = stratified_folds(truth, N_FOLDS, seed)
    calibrated = np.empty(len(truth))
    for each in range(N_FOLDS):
        calibrated[fold == each] = method(probability[fold != each], truth[fold != each])(probability[fold == each])
    return log_loss(truth, calibrated)


def _log_odds(probability: np.ndarray) -> np.ndarray:
    return logit(clipped(probability))
