"""How well a ranking identifies persuadables, from an experiment with a random control group.

A customer is either treated or not, so individual effects are never observed; a group's is, as a difference of rates.
"""

from dataclasses import dataclass

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.core.progress import progress


@dataclass(frozen=True)
class Curves:
    """The effect of treating the best-ranked share of N customers; both curves start at zero.

    Attributes:
        share: of customers treated, ascending from 0 to 1; shape (K,).
        gain: additional responses per treated customer of the whole, the Qini curve (Radcliffe, "Using control groups
            to target on predicted lift", 2007): responses of the treated minus those of as many controls; shape (K,).
        uplift: difference of the rates of treated and controls so far, times the share (Rzepakowski and Jaroszewicz,
            KAIS 2012); shape (K,).
    """

    share: np.ndarray
    gain: np.ndarray
    uplift: np.ndarray


def curves(y: np.ndarray, treated: np.ndarray, score: np.ndarray) -> Curves:
    """Both curves; customers of equal score are added together, so that their order does not matter.

    Args:
        y: 1 where they responded; shape (N,).
        treated: True where treated; shape (N,).
        score: the higher, the earlier to be treated; shape (N,).

    Raises:
        SettingsError: where there is no control group, or only that.
    """
    treated = np.asarray(treated, dtype=bool)
    order, ends = _ranked(y, treated, score)
    return _curves(y[order], treated[order].astype(np.float64), np.ones(len(y)), ends)


def qini(y: np.ndarray, treated: np.ndarray, score: np.ndarray) -> float:
    """Area between the Qini curve and the straight line of a random order; 0 is random, below it is worse.

    In additional responses per treated customer; not divided by the area of a perfect order, which is unknown.

    >>> y, treated = np.array([1, 0, 0, 0]), np.array([True, False, True, False])
    >>> qini(y, treated, np.array([0.9, 0.8, 0.1, 0.0]))
    0.1875
    """
    return _qini(curves(y, treated, score))


def auuc(y: np.ndarray, treated: np.ndarray, score: np.ndarray) -> float:
    """Area under the uplift curve; that of a random order is half the average effect."""
    return _area(curves(y, treated, score))


def uplift_at(y: np.ndarray, treated: np.ndarray, score: np.ndarray, share: float) -> float:
    """Difference of the rates of treated and controls among the best-ranked share; NaN where one of them is empty.

    All customers whose score equals the lowest one of that share belong to it.

    Args:
        y: 1 where they responded; shape (N,).
        treated: True or 1 where treated; shape (N,).
        score: the higher, the earlier; shape (N,).
        share: in (0, 1].
    """
    treated, best = np.asarray(treated, dtype=bool), among(score, share)
    rates = [y[best & group].mean() if (best & group).any() else np.nan for group in (treated, ~treated)]
    return float(rates[0] - rates[1])


def among(score: np.ndarray, share: float) -> np.ndarray:
    """True for the best-ranked share, including all whose score equals its lowest; shape (N,)."""
    border = np.sort(score)[::-1][max(int(np.ceil(share * len(score))), 1) - 1]
    return score >= border


def resampled(
    y: np.ndarray, treated: np.ndarray, score: np.ndarray, n_resamples: int = 500, seed: int = 0
) -> dict[str, np.ndarray]:
    """``qini`` and ``auuc`` of each resample; shape (R,)."""
    order, ends = _ranked(y, treated, score)
    rng, areas = np.random.default_rng(seed), np.empty((2, n_resamples))
    ranked_y, ranked_treated = y[order], treated[order].astype(np.float64)
    for number in progress(range(n_resamples), "resamples of the Qini curve"):
        weight = np.bincount(rng.integers(len(y), size=len(y)), minlength=len(y))[order].astype(np.float64)
        drawn = _curves(ranked_y, ranked_treated, weight, ends)
        areas[:, number] = _qini(drawn), _area(drawn)
    return {"qini": areas[0], "auuc": areas[1]}


def _ranked(y: np.ndarray, treated: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best first, and the last place of each score."""
    if treated.all() or not treated.any():
        group = "nobody was treated" if len(y) and not treated.any() else "everybody was treated"
        raise SettingsError(f"{group}: an effect can be measured only against a control group; send to a random share")
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    return order, ends


def _curves(y: np.ndarray, treated: np.ndarray, weight: np.ndarray, ends: np.ndarray) -> Curves:
    n_treated, n_control = np.cumsum(weight * treated)[ends], np.cumsum(weight * (1 - treated))[ends]
    y_treated, y_control = np.cumsum(weight * treated * y)[ends], np.cumsum(weight * (1 - treated) * y)[ends]
    share = (n_treated + n_control) / (n_treated[-1] + n_control[-1])
    control_rate = np.divide(y_control, n_control, out=np.zeros_like(share), where=n_control > 0)
    treated_rate = np.divide(y_treated, n_treated, out=np.zeros_like(share), where=n_treated > 0)
    gain = (y_treated - control_rate * n_treated) / n_treated[-1]
    both = (n_treated > 0) & (n_control > 0)
    uplift = np.where(both, treated_rate - control_rate, 0.0) * share
    return Curves(*(np.concatenate([[0.0], each]) for each in (share, gain, uplift)))


def _qini(drawn: Curves) -> float:
    return float(np.trapezoid(drawn.gain, drawn.share) - drawn.gain[-1] / 2)


def _area(drawn: Curves) -> float:
    return float(np.trapezoid(drawn.uplift, drawn.share))
