"""What every customer is expected to pay in the next window."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from omniretail.profile.probing.probe_models import Logistic, Ridge, Trees
from omniretail.profile.propensity.three_windows import Snapshot, ThreeWindows

WINDOWS = 3
"""Behind a customer's own rate."""
_FOLDS = 5


@dataclass(frozen=True)
class SpendForecast:
    """Amounts in the source's currency, of N customers; each array of shape (N,).

    Attributes:
        before: the chance to come times what those who come pay, as the probes say.
        after: that and the own rate, weighted, rescaled to be right in the mean on the calibration window.
        own_rate: the baseline: what the customer paid per window in the last three.
        truth: what they paid.
        credibility: weight of the own rate in ``after``.
        method: ``scale`` or ``isotonic``, whichever had the smaller squared error on customers it was not fitted on.
    """

    before: np.ndarray
    after: np.ndarray
    own_rate: np.ndarray
    truth: np.ndarray
    credibility: float
    method: str

    def figures(self) -> pd.DataFrame:
        """A row each for before, after and own rate: ``forecast, mae, rmse, spearman, predicted, actual``."""
        said = {"before": self.before, "after": self.after, "own rate": self.own_rate}
        return pd.DataFrame([{"forecast": name, **_figures(self.truth, each)} for name, each in said.items()])


def spend_forecast(looks: ThreeWindows, n_seeds: int) -> SpendForecast:
    """Learn at the first look, calibrate at the second, promise at the third.

    Args:
        looks: with the question ``spend``.
        n_seeds: averaged.
    """
    learned, checked, truth = (_paid(each) for each in (looks.learn, looks.calibrate, looks.serve))
    said = two_parts(looks.learn.x, learned, np.concatenate([looks.calibrate.x, looks.serve.x]), n_seeds)
    at_check, now = said[: len(checked)], said[len(checked) :]
    own_at_check, own = (own_rate(each, looks.window_s) for each in (looks.calibrate, looks.serve))
    weight = credibility(at_check, own_at_check, checked)
    mixed_at_check, mixed = at_check + weight * (own_at_check - at_check), now + weight * (own - now)
    method = _chosen(mixed_at_check, checked)
    after = _METHODS[method](mixed_at_check, checked, mixed)
    return SpendForecast(before=now, after=after, own_rate=own, truth=truth, credibility=weight, method=method)


def credibility(said: np.ndarray, own: np.ndarray, paid: np.ndarray) -> float:
    """The weight in [0, 1] of a customer's own rate beside what is said of their like, by least squares.

    Bühlmann, "Experience rating and credibility", ASTIN Bulletin 1967, with one weight for all.
    """
    apart = own - said
    return float(np.clip((apart @ (paid - said)) / max(apart @ apart, 1e-9), 0.0, 1.0))


def two_parts(x: np.ndarray, paid: np.ndarray, asked: np.ndarray, n_seeds: int) -> np.ndarray:
    """The chance to pay anything times the amount of those who do (Duan et al., JBES 1983).

    The amount is learned as its logarithm, and brought back with the factor that makes it right in the mean of those
    learned from (smearing: Duan, JASA 1983).

    Args:
        x: embeddings to learn from; shape (N, D).
        paid: what they paid; shape (N,).
        asked: embeddings to answer for; shape (M, D).
        n_seeds: averaged.

    Returns:
        Shape (M,).
    """
    came = paid > 0
    if came.sum() < 2:  # nothing to tell apart
        return np.full(len(asked), paid.mean())
    seeds, everybody = range(n_seeds), np.concatenate([x[came], asked])
    chance = np.ones(len(asked))
    if not came.all():
        votes = [
            probe(x, came[:, None].astype(float), asked, seed) for probe in (Logistic(), Trees()) for seed in seeds
        ]
        chance = np.mean(votes, axis=0)[:, 0]
    trees = Trees("regression")
    answers = [Ridge()(x[came], paid[came, None], everybody, 0)]
    answers.append(np.mean([trees(x[came], paid[came, None], everybody, seed) for seed in seeds], axis=0))
    amount = np.mean(answers, axis=0)[:, 0]
    fitted, said = amount[: came.sum()], amount[came.sum() :]
    return chance * said * paid[came].sum() / max(fitted.sum(), 1e-9)


def own_rate(look: Snapshot, window_s: int, windows: int = WINDOWS) -> np.ndarray:
    """What each customer paid per window in the last ones; in fewer, where the first event is younger. Shape (U,)."""
    histories = look.train.histories
    recent = histories.timestamp >= look.train.at - windows * window_s
    paid = np.bincount(histories.rows[recent], np.nan_to_num(histories.value[recent]), minlength=len(histories))
    age = (look.train.at - histories.timestamp[histories.offsets[:-1]]) / window_s  # nobody's history is empty
    return np.maximum(paid, 0.0) / np.clip(age, 1.0, windows)


def _paid(look: Snapshot) -> np.ndarray:
    return np.maximum(look.targets["spend"].truth[:, 0], 0.0)


def _scale(said: np.ndarray, paid: np.ndarray, asked: np.ndarray) -> np.ndarray:
    return asked * (paid.sum() / said.sum() if said.sum() > 0 else 1.0)


def _isotonic(said: np.ndarray, paid: np.ndarray, asked: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import IsotonicRegression

    return IsotonicRegression(out_of_bounds="clip").fit(said, paid).predict(asked)


_METHODS = {"scale": _scale, "isotonic": _isotonic}


def _chosen(said: np.ndarray, paid: np.ndarray) -> str:
    fold = np.random.default_rng(0).permutation(len(said)) % _FOLDS
    errors = dict.fromkeys(_METHODS, 0.0)
    for each in range(min(_FOLDS, len(said)) if len(said) > 1 else 0):
        held = fold == each
        for name, method in _METHODS.items():
            errors[name] += float(((method(said[~held], paid[~held], said[held]) - paid[held]) ** 2).sum())
    return min(errors, key=errors.__getitem__)


def _figures(truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
    ranked = np.ptp(truth) > 0 and np.ptp(said) > 0
    return {
        "mae": float(np.abs(said - truth).mean()),
        "rmse": float(np.sqrt(((said - truth) ** 2).mean())),
        "spearman": float(stats.spearmanr(truth, said).statistic) if ranked else float("nan"),  # type: ignore[attr-defined]
        "predicted": float(said.sum()),
        "actual": float(truth.sum()),
    }
