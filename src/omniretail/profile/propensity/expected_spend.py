"""What every customer is expected to spend in the next window."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.models.lifetime.holdout import holdout_errors
from omniretail.profile.probing.lightgbm_probe import LightGBMProbe
from omniretail.profile.probing.linear_probes import LogisticProbe, RidgeProbe
from omniretail.profile.propensity.three_windows import Snapshot, ThreeWindows

N_WINDOWS = 3
"""Windows behind a customer's own rate."""
_N_FOLDS = 5


@dataclass(frozen=True)
class SpendForecast:
    """Amounts of N customers in the source's currency; each array of shape (N,).

    Attributes:
        before: the probability to buy times what buyers spend, as the probes predict.
        after: that and the own rate, weighted, and rescaled to be right in the mean on the calibration window.
        own_rate: the baseline: what the customer spent per window in the last three.
        truth: what they spent.
        credibility: weight of the own rate in ``after``.
        method: ``scale`` or ``isotonic``, whichever had the smaller cross-validated squared error.
    """

    before: np.ndarray
    after: np.ndarray
    own_rate: np.ndarray
    truth: np.ndarray
    credibility: float
    method: str

    def metrics(self) -> pd.DataFrame:
        """Rows ``before``, ``after`` and ``own_rate``: ``mae, rmse, spearman, predicted, actual`` (totals)."""
        forecasts = {"before": self.before, "after": self.after, "own_rate": self.own_rate}
        errors = {name: holdout_errors(forecast, self.truth) for name, forecast in forecasts.items()}
        return pd.DataFrame.from_dict(errors, orient="index")


def spend_forecast(windows: ThreeWindows, n_seeds: int) -> SpendForecast:
    """Learn in the first window, calibrate in the second, predict the third.

    Args:
        windows: with the question ``spend``.
        n_seeds: averaged.
    """
    learned, held_back, truth = (_spent(each) for each in (windows.learning, windows.calibration, windows.test))
    x = np.concatenate([windows.calibration.x, windows.test.x])
    both = two_part_forecast(windows.learning.x, learned, x, n_seeds)
    own = [own_rate(each, windows.window_s) for each in (windows.calibration, windows.test)]
    probes = np.split(both, [len(held_back)])
    weight = credibility(probes[0], own[0], held_back)
    mixed = [probe + weight * (rate - probe) for probe, rate in zip(probes, own, strict=True)]
    method = _best_method(mixed[0], held_back)
    after = _METHODS[method](mixed[0], held_back, mixed[1])
    return SpendForecast(probes[1], after, own[1], truth, weight, method)


def credibility(predicted: np.ndarray, own: np.ndarray, spent: np.ndarray) -> float:
    """The weight in [0, 1] of a customer's own rate beside the prediction for customers like them, by least squares.

    Bühlmann, "Experience rating and credibility", ASTIN Bulletin 1967, with one weight for all.
    """
    gap = own - predicted
    return float(np.clip((gap @ (spent - predicted)) / max(gap @ gap, 1e-9), 0.0, 1.0))


def two_part_forecast(x: np.ndarray, spent: np.ndarray, x_new: np.ndarray, n_seeds: int) -> np.ndarray:
    """The probability to spend anything times the amount of those who do (Duan et al., JBES 1983).

    The amount is learned as its logarithm, and transformed back with the factor that makes it right in the mean of the
    customers learned from (smearing: Duan, JASA 1983).

    Args:
        x: embeddings to learn from; shape (N, D).
        spent: by those customers; shape (N,).
        x_new: embeddings to predict for; shape (M, D).
        n_seeds: averaged.

    Returns:
        Shape (M,).
    """
    buyers = spent > 0
    if buyers.sum() < 2:  # too few to learn from
        return np.full(len(x_new), spent.mean())
    probability = np.ones(len(x_new))
    if not buyers.all():
        labels = buyers[:, None].astype(float)
        fitted = [p.fit(x, labels, seed) for p in (LogisticProbe(), LightGBMProbe()) for seed in range(n_seeds)]
        probability = np.mean([predict(x_new) for predict in fitted], axis=0)[:, 0]
    labels, everybody = spent[buyers, None], np.concatenate([x[buyers], x_new])
    trees = LightGBMProbe("regression")
    boosted = np.mean([trees.fit(x[buyers], labels, seed)(everybody) for seed in range(n_seeds)], axis=0)
    amount = np.mean([RidgeProbe().fit(x[buyers], labels, 0)(everybody), boosted], axis=0)[:, 0]
    in_sample, predicted = np.split(amount, [buyers.sum()])
    return probability * predicted * spent[buyers].sum() / max(in_sample.sum(), 1e-9)


def own_rate(snapshot: Snapshot, window_s: int, n_windows: int = N_WINDOWS) -> np.ndarray:
    """What each customer spent per window in the last ones; in fewer where the first event is younger. Shape (U,)."""
    histories, at = snapshot.train.histories, snapshot.train.at
    recent = histories.timestamp >= at - n_windows * window_s
    spent = np.bincount(histories.rows[recent], np.nan_to_num(histories.value[recent]), minlength=len(histories))
    age = (at - histories.timestamp[histories.offsets[:-1]]) / window_s  # nobody's history is empty
    return np.maximum(spent, 0.0) / np.clip(age, 1.0, n_windows)


def _spent(snapshot: Snapshot) -> np.ndarray:
    return np.maximum(snapshot.targets["spend"].truth[:, 0], 0.0)


def _scale(predicted: np.ndarray, spent: np.ndarray, new: np.ndarray) -> np.ndarray:
    return new * (spent.sum() / predicted.sum() if predicted.sum() > 0 else 1.0)


def _isotonic(predicted: np.ndarray, spent: np.ndarray, new: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import IsotonicRegression

    return IsotonicRegression(out_of_bounds="clip").fit(predicted, spent).predict(new)


_METHODS = {"scale": _scale, "isotonic": _isotonic}


def _best_method(predicted: np.ndarray, spent: np.ndarray) -> str:
    """The method with the smaller cross-validated squared error."""
    fold = np.random.default_rng(0).permutation(len(predicted)) % _N_FOLDS
    errors = dict.fromkeys(_METHODS, 0.0)
    for each in range(min(_N_FOLDS, len(predicted)) if len(predicted) > 1 else 0):
        held_out = fold == each
        for name, method in _METHODS.items():
            rescaled = method(predicted[~held_out], spent[~held_out], predicted[held_out])
            errors[name] += float(((rescaled - spent[held_out]) ** 2).sum())
    return min(errors, key=errors.__getitem__)
